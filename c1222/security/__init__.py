"""EAX', canonical headers, keys. The only room that imports cryptography."""
