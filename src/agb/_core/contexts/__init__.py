"""Files that outlive sessions: contexts, policies, sync; imports `wire`."""
