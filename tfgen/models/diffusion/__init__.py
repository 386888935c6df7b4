"""Models that take noise away step by step."""
