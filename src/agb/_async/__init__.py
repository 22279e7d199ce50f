"""The async client, all that waits, written by hand; imports `_pair` and below."""
