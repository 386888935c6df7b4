"""From a trained model to files that others load, and to answers over the wire."""
