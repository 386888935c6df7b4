"""Models that learn by telling pairs from others."""
