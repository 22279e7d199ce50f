"""Every error of this package.

Documented calls return results and never raise for what the server said; the typed error is then
in `result.exception`, and `result.raise_for_error()` raises it.

AGBError
 ├── InvalidArgumentError (ValueError)   a value that can't be sent; nothing was sent
 │    └── LabelValidationError           a label set that breaks a rule
 ├── AuthenticationError                 the API key was refused
 ├── APIError                            the request failed, or its reply made no sense
 │    ├── APIConnectionError             no connection, or it broke
 │    └── APITimeoutError                no reply in time
 ├── SessionError                        a session could not be created or used
 │    └── SessionNotFoundError           no such session, or no longer
 ├── CommandError                        code or a command failed
 ├── FileError                           a file operation failed
 ├── LocalServerError                    the embedded server could not start, or died
 ├── ApplicationError, BrowserError, ClearanceTimeoutError, ScreenError
 │                                       documented names of modules this package does not have
"""

from __future__ import annotations

from typing import Any, ClassVar


class AGBError(Exception):
    """Base of every error of this package.

    Args:
        message: What happened, where, and what to do; the default text of the class if left out.
        *args: Further positional values, kept in `args`.
        **kwargs: Further facts, kept in `extra`; `status_code`, `code` and `request_id` are
            attributes as well.

    Attributes:
        message: The text of the error.
        extra: Every keyword argument given.
        status_code: HTTP status of the reply, or None if there was none.
        code: The server's error code, such as `InvalidSession.NotFound`, or `""`.
        request_id: The server's id of the request, or `""`.
    """

    __module__ = "agb"
    _default_message: ClassVar[str] = ""

    def __init__(self, message: str | None = None, *args: object, **kwargs: Any) -> None:  # noqa: ANN401
        self.message: str = message or self._default_message or type(self).__name__
        super().__init__(self.message, *args)
        # Any: whatever facts a caller attaches.
        self.extra: dict[str, Any] = kwargs
        self.status_code: int | None = self.extra.get("status_code")
        self.code: str = self.extra.get("code", "")
        self.request_id: str = self.extra.get("request_id", "")

    def __str__(self) -> str:
        return self.message


class InvalidArgumentError(AGBError, ValueError):
    """Raised when a value can't be sent: empty, of a wrong type, or breaking a rule."""

    __module__ = "agb"
    _default_message = "Invalid argument"


class LabelValidationError(InvalidArgumentError):
    """Raised when a label set breaks one of the label rules."""

    __module__ = "agb"
    _default_message = "Invalid labels"


class AuthenticationError(AGBError):
    """Raised when the service refuses the API key."""

    __module__ = "agb"
    _default_message = "Authentication failed"


class APIError(AGBError):
    """Raised when a request failed, or when its reply could not be understood.

    Args:
        message: What happened.
        status_code: HTTP status of the reply, or None if there was none.
        **kwargs: As for `AGBError`.
    """

    __module__ = "agb"
    _default_message = "API error"

    def __init__(
        self, message: str | None = None, status_code: int | None = None, **kwargs: object
    ) -> None:
        super().__init__(message, **kwargs)
        self.status_code = status_code


class APIConnectionError(APIError):
    """Raised when no connection could be made, or when it broke before the reply was whole."""

    __module__ = "agb"
    _default_message = "Connection failed"


class APITimeoutError(APIError):
    """Raised when the service did not answer in time."""

    __module__ = "agb"
    _default_message = "Request timed out"


class SessionError(AGBError):
    """Raised when a session could not be created or used."""

    __module__ = "agb"
    _default_message = "Session error"


class SessionNotFoundError(SessionError):
    """Raised when a session does not exist, or no longer exists."""

    __module__ = "agb"
    _default_message = "Session not found"


class CommandError(AGBError):
    """Raised when code or a command failed in the session."""

    __module__ = "agb"
    _default_message = "Command execution error"


class FileError(AGBError):
    """Raised when a file operation failed in the session."""

    __module__ = "agb"
    _default_message = "File operation error"


class LocalServerError(AGBError):
    """Raised when the embedded server could not start, or ended while it was in use."""

    __module__ = "agb"
    _default_message = "The embedded server is not running"


class ApplicationError(AGBError):
    """Documented name; nothing in this package raises it."""

    __module__ = "agb"
    _default_message = "Application operation error"


class BrowserError(AGBError):
    """Documented name; nothing in this package raises it."""

    __module__ = "agb"
    _default_message = "Browser operation error"


class ClearanceTimeoutError(AGBError):
    """Documented name; nothing in this package raises it."""

    __module__ = "agb"
    _default_message = "Clearance task timed out"


class ScreenError(AGBError):
    """Documented name; nothing in this package raises it."""

    __module__ = "agb"
    _default_message = "Screen operation error"
