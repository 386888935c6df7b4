"""Models that translate between domains."""
