"""Code that runs in a session: its results, and its streams."""
