"""Files, suggestions, versions, aliases of modules, TensorFlow's set-up."""
