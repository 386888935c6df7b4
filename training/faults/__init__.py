"""Kills, stops and damages runs, and compares what they learnt."""
