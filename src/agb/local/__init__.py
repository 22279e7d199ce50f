"""The embedded sandbox server: really executes code, each session in its own bubblewrap sandbox."""
