"""Fitting the weights: targets, teachers, augmentation, temperature."""
