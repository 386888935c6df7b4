"""Models that draw one pixel after the other."""
