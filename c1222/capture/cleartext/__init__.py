"""Captures written anew with verified messages in cleartext, for those who have no keys."""
