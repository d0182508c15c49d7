"""Batches as folders of Parquet files: by day, all of a file or nothing, and resumed where they were left."""
