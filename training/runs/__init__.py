"""A run: its settings, its folder, how it is fitted, shown and ended."""
