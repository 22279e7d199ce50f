"""What runs inside a sandbox: an agent for commands, files and language kernels.

Standard library only, and seen by the sandbox read-only. Modules that are slow to import are
imported where they are used: a session is there as soon as the agent is.
"""
