"""A meter as a COSEM logical device, read-only: A-XDR, association and GET, without I/O, and a server for TCP."""
