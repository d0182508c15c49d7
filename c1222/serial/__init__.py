"""The serial side, without I/O: packets of C12.18 and C12.21, the link that carries them, and sessions over it."""
