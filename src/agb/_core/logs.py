"""The logger of the package."""

from __future__ import annotations

import logging

from agb._core.config import environment_setting
from agb._core.exceptions import InvalidArgumentError

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def get_logger(name: str = "agb") -> logging.Logger:
    """Return a logger of the package.

    Args:
        name: Name of the logger; one that is not below `agb` is put there.

    Returns:
        A standard library logger.

    Example:
        >>> from agb.logger import get_logger
        >>> get_logger("jobs").name
        'agb.jobs'
    """
    return logging.getLogger(name if name.split(".")[0] == "agb" else f"agb.{name}")


def configure() -> None:
    """Apply `AGB_LOG_LEVEL` and `AGB_LOG_FILE`; without them only keep the logger silent.

    Raises:
        InvalidArgumentError: If the level has no such name or the file can't be opened.
    """
    logger = logging.getLogger("agb")
    if logger.handlers:
        return
    level, path = environment_setting("AGB_LOG_LEVEL"), environment_setting("AGB_LOG_FILE")
    handler: logging.Handler = logging.NullHandler()
    try:
        if path or level:
            logger.setLevel((level or "INFO").upper())
        if path:
            handler = logging.FileHandler(path, encoding="utf-8")
        elif level:
            handler = logging.StreamHandler()
    except (ValueError, OSError) as error:
        raise InvalidArgumentError(
            f"AGB_LOG_LEVEL or AGB_LOG_FILE can't be used: {error}"
        ) from error
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
