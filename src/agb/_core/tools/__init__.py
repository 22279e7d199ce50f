"""The tools of a session, and calls of them; imports `wire`."""
