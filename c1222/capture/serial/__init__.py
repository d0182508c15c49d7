"""What a sniffer of a serial line recorded: its forms, the packets of both ends, and the messages they make."""
