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
 ├── UnsupportedError                    the service has no tool for it; nothing was run
 ├── CommandError                        code or a command failed
 │    └── CommandTimeoutError            it took longer than it was given
 ├── FileError                           a file operation failed
 ├── LocalServerError                    the embedded server could not start, or died
 └── ApplicationError, BrowserError, ClearanceTimeoutError, ScreenError
                                         names of modules this package does not have: in
                                         `unraised_exceptions`
"""

from __future__ import annotations

from typing import Any, ClassVar


class AGBError(Exception):
    """Base of every error of this package.

    Args:
        message: What happened, where, and what to do; the default text of the class if left out.
        *args: Further positional values, kept in `args`.
        **kwargs: Further facts, kept in `extra`; those named below are attributes as well.

    Attributes:
        message: The text of the error.
        extra: Every keyword argument given.
        status_code: HTTP status of the reply, or None if there was none.
        code: The server's error code, such as `InvalidSession.NotFound`, or `""`.
        request_id: The server's id of the request, or `""`.
        outcome_unknown: Whether the call may have been carried out although no reply says so: it
            was sent, changes something, and the reply was lost. Look before you do it again.
        retryable: Whether the same call may simply be made again: it was not carried out, or
            changes nothing, and the reason may pass. The client has then made its `max_retries`.
        retry_after: How long the server asked to wait before that, in seconds, or None.

    Example:
        >>> from agb import AGBError
        >>> error = AGBError('no session', request_id='r-1', retryable=True)
        >>> str(error), error.request_id
        ('no session', 'r-1')
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
        self.outcome_unknown: bool = self.extra.get("outcome_unknown", False)
        self.retryable: bool = self.extra.get("retryable", False)
        self.retry_after: float | None = self.extra.get("retry_after")

    def __str__(self) -> str:
        return self.message


class InvalidArgumentError(AGBError, ValueError):
    """Raised when a value can't be sent: empty, of a wrong type, or breaking a rule.

    Example:
        >>> from agb import InvalidArgumentError
        >>> str(InvalidArgumentError('path is required'))
        'path is required'
    """

    __module__ = "agb"
    _default_message = "Invalid argument"


class LabelValidationError(InvalidArgumentError):
    """Raised when a label set breaks one of the label rules.

    Example:
        >>> from agb import LabelValidationError
        >>> str(LabelValidationError('Label keys cannot be empty'))
        'Label keys cannot be empty'
    """

    __module__ = "agb"
    _default_message = "Invalid labels"


class AuthenticationError(AGBError):
    """Raised when the service refuses the API key.

    Example:
        >>> from agb import AuthenticationError
        >>> str(AuthenticationError('bad key'))
        'bad key'
    """

    __module__ = "agb"
    _default_message = "Authentication failed"


class APIError(AGBError):
    """Raised when a request failed, or when its reply could not be understood.

    Args:
        message: What happened.
        status_code: HTTP status of the reply, or None if there was none.
        **kwargs: As for `AGBError`.

    Example:
        >>> from agb import APIError
        >>> str(APIError('HTTP 500'))
        'HTTP 500'
    """

    __module__ = "agb"
    _default_message = "API error"

    def __init__(
        self, message: str | None = None, status_code: int | None = None, **kwargs: object
    ) -> None:
        super().__init__(message, **kwargs)
        self.status_code = status_code


class APIConnectionError(APIError):
    """Raised when no connection could be made, or when it broke before the reply was whole.

    Example:
        >>> from agb import APIConnectionError
        >>> str(APIConnectionError('connection refused'))
        'connection refused'
    """

    __module__ = "agb"
    _default_message = "Connection failed"


class APITimeoutError(APIError):
    """Raised when the service did not answer in time.

    Example:
        >>> from agb import APITimeoutError
        >>> str(APITimeoutError('no reply in 60 s'))
        'no reply in 60 s'
    """

    __module__ = "agb"
    _default_message = "Request timed out"


class SessionError(AGBError):
    """Raised when a session could not be created or used.

    Example:
        >>> from agb import SessionError
        >>> str(SessionError('no session'))
        'no session'
    """

    __module__ = "agb"
    _default_message = "Session error"


class SessionNotFoundError(SessionError):
    """Raised when a session does not exist, or no longer exists.

    Example:
        >>> from agb import SessionNotFoundError
        >>> str(SessionNotFoundError('Session not found: s-1'))
        'Session not found: s-1'
    """

    __module__ = "agb"
    _default_message = "Session not found"


class CommandError(AGBError):
    """Raised when code or a command failed in the session.

    Example:
        >>> from agb import CommandError
        >>> str(CommandError('exit code 1'))
        'exit code 1'
    """

    __module__ = "agb"
    _default_message = "Command execution error"


class CommandTimeoutError(CommandError):
    """Raised when code, a command or a wait for a process took longer than it was given.

    Example:
        >>> from agb import CommandTimeoutError
        >>> str(CommandTimeoutError('stopped after 1000 ms'))
        'stopped after 1000 ms'
    """

    __module__ = "agb"
    _default_message = "Command timed out"


class UnsupportedError(AGBError):
    """Raised when the service does not have what a call needs; nothing was run.

    Args:
        message: What is missing, and where.
        *args: As for `AGBError`.
        **kwargs: As for `AGBError`.

    Attributes:
        tool: Name of the tool that the service has not, or that can't do what was asked.
        endpoint: The service.

    Example:
        >>> from agb import UnsupportedError
        >>> UnsupportedError('no processes', tool='start_process').tool
        'start_process'
    """

    __module__ = "agb"
    _default_message = "Not supported by this service"

    def __init__(self, message: str | None = None, *args: object, **kwargs: object) -> None:
        super().__init__(message, *args, **kwargs)
        self.tool: str = self.extra.get("tool", "")
        self.endpoint: str = self.extra.get("endpoint", "")


class FileError(AGBError):
    """Raised when a file operation failed in the session.

    Example:
        >>> from agb import FileError
        >>> str(FileError('No such file'))
        'No such file'
    """

    __module__ = "agb"
    _default_message = "File operation error"


class LocalServerError(AGBError):
    """Raised when the embedded server could not start, or ended while it was in use.

    Example:
        >>> from agb import LocalServerError
        >>> str(LocalServerError('no namespaces'))
        'no namespaces'
    """

    __module__ = "agb"
    _default_message = "The embedded server is not running"
