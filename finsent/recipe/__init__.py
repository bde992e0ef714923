"""A recipe: everything that decides a release, in frozen sections by stage."""
