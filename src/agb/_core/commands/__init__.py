"""Shell commands, and the processes that outlive a call."""
