"""Families of vectors of a serial line, by what they are about."""
