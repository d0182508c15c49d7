"""Load profiles in pieces: one set, its blocks, its end readings, and what to read for a span of time."""
