"""Shell commands, and processes that outlive a call; imports `tools` and `wire`."""
