"""Calls, replies and retry rules: what all topics share; imports none of them."""
