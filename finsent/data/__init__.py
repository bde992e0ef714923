"""From the files of a recipe's sources to checked, disjoint splits."""
