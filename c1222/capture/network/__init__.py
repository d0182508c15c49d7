"""From a captured packet to an APDU: links, fragments, TCP streams, framing."""
