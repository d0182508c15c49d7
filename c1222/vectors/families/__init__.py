"""The families of generated vectors: one a file, each a function that tells an author its cases."""
