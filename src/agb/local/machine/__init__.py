"""This machine: what it gives to sandboxes, and what is prepared on it for them."""
