"""Documented import path of logging: the standard library's logger `agb` and its children.

Nothing is written anywhere unless the program configures logging, or sets `AGB_LOG_LEVEL` (a level
name, to standard error) or `AGB_LOG_FILE` (a file to append to). Keys and tokens are never logged.
"""

from agb._core.logs import get_logger

__all__ = ["get_logger"]
