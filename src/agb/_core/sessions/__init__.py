"""The life of a session, its labels, and what it is created with."""
