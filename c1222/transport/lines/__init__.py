"""Serial lines: local ports, modems, TCP and RFC 2217 bridges, pseudo terminals; octets in and out, and rates."""
