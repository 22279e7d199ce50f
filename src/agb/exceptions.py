"""Documented import path of every error."""

from agb._core.exceptions import (
    AGBError,
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    CommandError,
    CommandTimeoutError,
    FileError,
    InvalidArgumentError,
    LabelValidationError,
    LocalServerError,
    SessionError,
    SessionNotFoundError,
    UnsupportedError,
)
from agb._core.unraised_exceptions import (
    ApplicationError,
    BrowserError,
    ClearanceTimeoutError,
    ScreenError,
)

__all__ = [
    "AGBError",
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "ApplicationError",
    "AuthenticationError",
    "BrowserError",
    "ClearanceTimeoutError",
    "CommandError",
    "CommandTimeoutError",
    "FileError",
    "InvalidArgumentError",
    "LabelValidationError",
    "LocalServerError",
    "ScreenError",
    "SessionError",
    "SessionNotFoundError",
    "UnsupportedError",
]
