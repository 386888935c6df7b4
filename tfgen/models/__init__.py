"""The models, one file per data flow."""
