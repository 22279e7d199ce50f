"""What the calls about whole sessions return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic

from attrs import Factory, field, frozen

from agb._core.exceptions import AGBError
from agb._core.results import Result, T
from agb._core.tools.tool import McpTool

if TYPE_CHECKING:
    from typing_extensions import Self


@frozen(unsafe_hash=False)
class SessionResult(Result, Generic[T]):
    """The result of creating or finding a session.

    Args:
        request_id: The server's id of the request.
        success: Whether there is a session.
        error_message: Why not, `""` on success.
        session: The session; None on failure.

    Example:
        >>> from agb import SessionResult
        >>> SessionResult(error_message='quota exceeded').success
        False
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    error_message: str = ""
    session: T = None  # type: ignore[assignment]  # None on failure only: see the module's docstring

    def unwrap(self) -> T:
        """Return the session, or raise the error of a failed result.

        Example:
            >>> from agb import SessionResult
            >>> SessionResult(success=True, session='a session').unwrap()
            'a session'
        """
        return self.raise_for_error().session


@frozen(unsafe_hash=False)
class GetSessionData:
    """What the service knows of a session.

    Args:
        app_instance_id: Id of the running instance.
        resource_id: Id of the resource behind the session.
        session_id: Id of the session.
        success: Whether the service calls the session usable.
        http_port: Port of the direct route, `""` if there is none.
        network_interface_ip: Address of the direct route, `""` if there is none.
        token: Token of the direct route; never shown in a repr.
        vpc_resource: Whether the session runs in a private network.
        resource_url: Address of the session's page, `""` if there is none.
        status: Where the session is in its life, such as `RUNNING`; `""` if the service does not
            say.
        link_url: Address of the direct route, `""` if there is none.
        ws_url: Address for streaming, `""` if there is none.
        tool_list: Tools of the direct route.

    Example:
        >>> from agb import GetSessionData
        >>> 'secret' in repr(GetSessionData(session_id='s-1', token='secret'))
        False
    """

    __module__ = "agb"

    app_instance_id: str = ""
    resource_id: str = ""
    session_id: str = ""
    success: bool = False
    http_port: str = ""
    network_interface_ip: str = ""
    token: str = field(default="", repr=False)
    vpc_resource: bool = False
    resource_url: str = ""
    status: str = field(default="", kw_only=True)
    link_url: str = field(default="", kw_only=True, repr=False)
    ws_url: str = field(default="", kw_only=True, repr=False)
    tool_list: list[McpTool] = field(factory=list[McpTool], kw_only=True)


@frozen(unsafe_hash=False)
class GetSessionResult(Result):
    """The raw form of finding a session.

    Args:
        request_id: The server's id of the request.
        http_status_code: HTTP status of the reply, 0 if there was none.
        code: The server's code, such as `ok` or `InvalidMcpSession.NotFound`.
        success: Whether the session was found.
        data: What the service knows of it; None on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import GetSessionResult
        >>> from agb import GetSessionData
        >>> GetSessionResult(success=True, data=GetSessionData(session_id='s-1')).data.session_id
        's-1'
    """

    __module__ = "agb"

    request_id: str = ""
    http_status_code: int = 0
    code: str = ""
    success: bool = False
    data: GetSessionData = None  # type: ignore[assignment]  # None on failure only
    error_message: str = ""

    @classmethod
    def failed(cls, error: AGBError) -> Self:
        """Make the result of a call that failed, with the status and code of the reply.

        Example:
            >>> from agb import GetSessionResult
            >>> from agb import SessionNotFoundError
            >>> result = GetSessionResult.failed(SessionNotFoundError('gone', status_code=400))
            >>> result.http_status_code
            400
        """
        return cls(**_failure_facts(error))

    def unwrap(self) -> GetSessionData:
        """Return the session's data, or raise the error of a failed result.

        Example:
            >>> from agb import GetSessionResult
            >>> from agb import GetSessionData
            >>> result = GetSessionResult(success=True, data=GetSessionData(session_id='s-1'))
            >>> result.unwrap().session_id
            's-1'
        """
        return self.raise_for_error().data


@frozen(unsafe_hash=False)
class SessionStatusResult(Result):
    """The result of asking where a session is in its life.

    Args:
        request_id: The server's id of the request.
        http_status_code: HTTP status of the reply, 0 if there was none.
        code: The server's code, such as `ok` or `InvalidMcpSession.NotFound`.
        success: Whether the service answered.
        status: Its word, such as `RUNNING`, `DELETING` or `FINISH`; `""` on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import SessionStatusResult
        >>> SessionStatusResult(success=True, status='RUNNING').status
        'RUNNING'
    """

    __module__ = "agb"

    request_id: str = ""
    http_status_code: int = 0
    code: str = ""
    success: bool = False
    status: str = ""
    error_message: str = ""

    @classmethod
    def failed(cls, error: AGBError) -> Self:
        """Make the result of a call that failed, with the status and code of the reply.

        Example:
            >>> from agb import SessionStatusResult
            >>> from agb import SessionNotFoundError
            >>> result = SessionStatusResult.failed(SessionNotFoundError('gone', status_code=400))
            >>> result.http_status_code
            400
        """
        return cls(**_failure_facts(error))

    def unwrap(self) -> str:
        """Return the status, or raise the error of a failed result.

        Example:
            >>> from agb import SessionStatusResult
            >>> SessionStatusResult(success=True, status='RUNNING').unwrap()
            'RUNNING'
        """
        return self.raise_for_error().status


def _failure_facts(error: AGBError) -> dict[str, Any]:
    return {
        "request_id": error.request_id,
        "http_status_code": error.status_code or 0,
        "code": error.code,
        "error_message": str(error),
        "exception": error,
    }


@frozen(unsafe_hash=False)
class SessionSummary:
    """A session in a list.

    Args:
        session_id: Its id.
        status: Where it is in its life, in the words of the service; `""` if it does not say.

    Example:
        >>> from agb import SessionSummary
        >>> SessionSummary('s-1', 'RUNNING').session_id
        's-1'
    """

    __module__ = "agb"

    session_id: str = ""
    status: str = ""


@frozen(unsafe_hash=False)
class SessionListResult(Result):
    """One page of sessions: their ids, or themselves by iterating over the result.

    Args:
        request_id: The server's id of the request.
        success: Whether the page was read.
        error_message: Why not, `""` on success.
        session_ids: Ids of the active sessions on this page.
        next_token: Where the next page begins, `""` on the last one.
        max_results: The page size that was asked for.
        total_count: How many sessions match on all pages.
        sessions: The same sessions with their status; what iterating over the result gives.

    Example:
        >>> [each.status for each in agb.list() if each.session_id == session.session_id]
        ['RUNNING']
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    error_message: str = ""
    session_ids: list[str] = field(factory=list[str])
    next_token: str = ""
    max_results: int = 0
    total_count: int = 0
    sessions: list[SessionSummary] = field(
        default=Factory(lambda self: [*map(SessionSummary, self.session_ids)], takes_self=True),
        kw_only=True,
        eq=False,
        repr=False,
    )

    def __iter__(self) -> Iterator[SessionSummary]:
        # No `__len__`: a result is true whatever is in it.
        return iter(self.sessions)

    def unwrap(self) -> list[str]:
        """Return the session ids, or raise the error of a failed result.

        Example:
            >>> from agb import SessionListResult
            >>> SessionListResult(success=True, session_ids=['s-1']).unwrap()
            ['s-1']
        """
        return self.raise_for_error().session_ids
