"""The sans-I/O core: no socket, no thread, no clock."""
