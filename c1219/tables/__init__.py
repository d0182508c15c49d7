"""The tables of the standard, one decade a file. Each module names its tables in ``TABLES``."""
