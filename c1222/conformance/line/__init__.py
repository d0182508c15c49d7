"""Checks of a device at the end of a serial line, and devices that misbehave there on purpose."""
