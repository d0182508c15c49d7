"""What carries APDUs: UDP, TCP, and a wire in memory whose mishaps are planned."""
