"""Documented import path of every error."""

from agb._core.exceptions import (
    AGBError,
    APIConnectionError,
    APIError,
    APITimeoutError,
    ApplicationError,
    AuthenticationError,
    BrowserError,
    ClearanceTimeoutError,
    CommandError,
    FileError,
    InvalidArgumentError,
    LabelValidationError,
    LocalServerError,
    ScreenError,
    SessionError,
    SessionNotFoundError,
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
    "FileError",
    "InvalidArgumentError",
    "LabelValidationError",
    "LocalServerError",
    "ScreenError",
    "SessionError",
    "SessionNotFoundError",
]
