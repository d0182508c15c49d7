"""Transports: UDP, TCP, and a wire in memory with planned faults."""
