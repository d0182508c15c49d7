"""Test vectors: made from a seed, and held against this library or any other program."""
