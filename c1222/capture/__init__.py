"""Capture files to packets to streams to messages."""
