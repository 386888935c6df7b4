"""Scores of generators, the report, likelihoods, probes."""
