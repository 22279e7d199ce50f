"""Whole files between this machine and a session; imports `contexts`, `files` and `wire`."""
