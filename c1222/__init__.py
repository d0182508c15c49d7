"""ANSI C12.22: talk to smart meters, and read what others said to them."""

__version__ = "0.1.0"
