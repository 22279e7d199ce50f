"""What runs inside a sandbox: an agent for commands, files and language kernels.

It imports nothing of the rest and nothing but the standard library, except IPython in cells of
Python, and is seen by the sandbox read-only. Modules that are slow to import are
imported where they are used: a session is there as soon as the agent is.
"""
