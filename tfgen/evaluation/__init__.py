"""Scores that carry their protocol: features of images, and what is computed on them."""
