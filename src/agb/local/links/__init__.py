"""Links: a reverse proxy to a port of a session each; imports what every room may use."""
