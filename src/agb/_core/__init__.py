"""What decides, and never waits: values and plain functions; imports nothing else of `agb`.

No await, no httpx, no clock; only `config` reads the environment.
"""
