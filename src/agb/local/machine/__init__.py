"""This machine, and what is prepared on it for sandboxes; imports `spawner` and `inside`."""
