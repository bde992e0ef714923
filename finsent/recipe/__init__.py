"""A recipe: everything that decides a release, in frozen sections by stage.

`recipe.py` is the whole, the other nouns are its sections; `file.py` reads and writes YAML.
"""
