"""The page of results, made from the files beside it."""
