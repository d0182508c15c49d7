"""Rows with declared columns: as Arrow tables, data frames, Parquet, JSON lines, CSV and HTML."""
