"""Documented errors of modules that this package does not have: names that programs may catch."""

from __future__ import annotations

from agb._core.exceptions import AGBError


class ApplicationError(AGBError):
    """Documented name; nothing in this package raises it.

    Example:
        >>> from agb import ApplicationError
        >>> str(ApplicationError())
        'Application operation error'
    """

    __module__ = "agb"
    _default_message = "Application operation error"


class BrowserError(AGBError):
    """Documented name; nothing in this package raises it.

    Example:
        >>> from agb import BrowserError
        >>> str(BrowserError())
        'Browser operation error'
    """

    __module__ = "agb"
    _default_message = "Browser operation error"


class ClearanceTimeoutError(AGBError):
    """Documented name; nothing in this package raises it.

    Example:
        >>> from agb import ClearanceTimeoutError
        >>> str(ClearanceTimeoutError())
        'Clearance task timed out'
    """

    __module__ = "agb"
    _default_message = "Clearance task timed out"


class ScreenError(AGBError):
    """Documented name; nothing in this package raises it.

    Example:
        >>> from agb import ScreenError
        >>> str(ScreenError())
        'Screen operation error'
    """

    __module__ = "agb"
    _default_message = "Screen operation error"
