"""The client in one colour, all that waits; imports `_pair` and what is below."""
