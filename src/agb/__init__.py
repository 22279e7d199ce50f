"""Run code somewhere safe."""

from agb._version import __version__

__all__ = ["__version__"]
