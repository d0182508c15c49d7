"""Nodes on a network: fleet, stations, server, relay, registration, notices, faults."""
