"""From texts without labels to an encoder: the stages of pretrain.py."""
