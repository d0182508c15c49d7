"""Where polls put what they bring."""
