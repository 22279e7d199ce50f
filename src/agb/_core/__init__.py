"""Everything that thinks: values and plain functions, shared by both colours.

No await, no httpx, no clock; only `config` reads the environment.
"""
