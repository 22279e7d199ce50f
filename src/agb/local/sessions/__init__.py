"""Sessions: begin, call, end, remember; imports `contexts`, `links` and below."""
