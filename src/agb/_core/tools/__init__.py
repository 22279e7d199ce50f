"""The tools of a session: which there are, and what they are called with."""
