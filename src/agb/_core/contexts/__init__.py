"""Files that outlive sessions: contexts, their policies, and their sync with a session."""
