"""Tables that no recipe describes: read whole, with their layout and their columns guessed."""
