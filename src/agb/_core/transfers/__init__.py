"""Whole files on their way between this machine and a session, through a store."""
