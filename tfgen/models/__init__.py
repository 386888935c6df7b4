"""The models, one file for each flow of data, in families."""
