"""The linter of model cards, a module a kind of rule."""
