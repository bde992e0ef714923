"""The encoder that a release starts from: loaded, its tokenizer prepared, cut to the recipe's size."""
