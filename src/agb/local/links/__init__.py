"""Links: each a reverse proxy to one port of a session, at an address that nobody can guess."""
