"""Table data of captured messages, decoded with what is known of each node."""
