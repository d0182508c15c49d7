"""Octets to messages and back: BER, ApTitles, the ACSE APDU, EPSEM, segments."""
