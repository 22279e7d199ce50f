"""Everything that waits, in one colour: the client, its sessions, and what they can do."""
