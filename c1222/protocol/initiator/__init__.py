"""Who asks: exchanges, the queue of requests, matching of answers to what was asked."""
