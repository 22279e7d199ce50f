"""Files and directories of a session: read, write, find, watch."""
