"""What every model stands on: steps, players, noise, replicas, checkpoints, serialization."""
