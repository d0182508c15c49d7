"""Capture files: pcap and pcapng, read in constant memory and written."""
