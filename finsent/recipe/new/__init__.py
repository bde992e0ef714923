"""From somebody's table to a commented recipe: what is seen is guessed with a reason, the rest is asked."""
