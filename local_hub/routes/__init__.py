"""The Hub's HTTP addresses, one module per noun; each offers `router`."""
