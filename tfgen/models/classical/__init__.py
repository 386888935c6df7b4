"""Classical densities as models."""
