"""Requests in, envelopes out, the status of every error; imports `tools` and all below it."""
