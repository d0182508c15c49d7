"""A meter by its tables: rights, pending tables, logs, clock, procedures."""
