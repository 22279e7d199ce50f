"""Files and directories of a session: read, write, find, watch; imports `tools` and `wire`."""
