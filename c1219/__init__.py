"""ANSI C12.19: what is in a meter."""
