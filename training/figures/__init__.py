"""The lectures' figures, a module for each: `training.figures.catalogue` lists them."""
