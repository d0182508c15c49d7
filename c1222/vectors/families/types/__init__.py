"""Vectors of the built-in types: numbers, text, times."""
