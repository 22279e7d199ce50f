"""Requests in, envelopes out: the only room that knows HTTP, and what an error is called there."""
