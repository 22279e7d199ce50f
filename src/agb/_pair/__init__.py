"""What differs in more than colour, both colours side by side; it imports `_io` and the core.

The generator turns the name of an async half into that of its blocking one. Only the async halves
import anyio, and only when they run.
"""
