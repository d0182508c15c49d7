"""Exports: what the views found, as others read it. Each module needs an extra of its own."""
