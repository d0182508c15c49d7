"""What a node keeps over a restart."""
