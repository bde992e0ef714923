"""From somebody's table to a commented recipe: what can be seen is guessed with a reason, the rest is asked."""
