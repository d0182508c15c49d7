"""Numbered checks of a live node, and nodes that misbehave on purpose, for checking a head-end."""
