"""EPSEM services: each request next to its response."""
