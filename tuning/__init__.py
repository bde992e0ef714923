"""Search for better settings: what may be tried, the trials, the finalists, and what is told of them."""
