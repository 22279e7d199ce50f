"""A session: its modules, labels, description and end.

Longer than other files, as three fifths of it are docstrings of what users call.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from .._core import arguments
from .._core.contexts import sync_operations
from .._core.exceptions import AGBError
from .._core.results import DeleteResult, OperationResult
from .._core.sessions import deletion, labelling
from .._core.sessions import operations as sessions
from .._core.sessions.results import GetSessionData, SessionStatusResult
from .._core.tools import operations as tools
from .._core.tools.results import McpToolResult, McpToolsResult, SessionMetricsResult
from .._core.tools.tool import McpTool
from .._core.wire.operation import Steps
from .._pair.shielding import shielded
from .client import Client
from .code import Code
from .command import Command
from .context_manager import ContextManager
from .file_system import FileSystem

if TYPE_CHECKING:
    from typing_extensions import Self

    from .agb import AGB

T = TypeVar("T")

# How long leaving an `async with` may take although its task is cancelled.
_CLEANUP_S = 30.0

_logger = logging.getLogger("agb")


class BaseSession:
    """A session of the service.

    Programs get sessions from `create`, `get` and `open_session`; making one by hand for a known
    id is supported and sends no request. As a context manager a session deletes itself at the end.

    Args:
        agb: The client that the session belongs to.
        session_id: Id of the session.

    Attributes:
        agb: The client that the session belongs to.
        session_id: Id of the session.
        resource_url: Address of the session's page, `""` if there is none.
        image_id: The image asked for when the session was created, `""` if none or unknown.
        code: Run code.
        command: Run shell commands.
        file_system: Work with files.
        context: The contexts of the session: files that outlive it.
        app_instance_id: Id of the running instance, after `get`.
        resource_id: Id of the resource behind the session, after `get`.
        vpc_resource: Whether the session runs in a private network, after `get`.
        network_interface_ip: Address of the direct route, after `get`.
        http_port: Port of the direct route, after `get`.
        token: Token of the direct route and of streaming, `""` if there is none.
        link_url: Address of the direct route, `""` if there is none.
        ws_url: Address for streaming, `""` if there is none.
        tool_list: Tools of the direct route.

    Example:
        >>> info = session.info()
        >>> info.success
        True
    """

    __module__ = "agb"

    def __init__(self, agb: AGB, session_id: str) -> None:
        self.agb: AGB = agb
        self.session_id: str = arguments.filled_text("session_id", session_id)
        self.resource_url: str = ""
        self.image_id: str = ""
        self.app_instance_id: str = ""
        self.resource_id: str = ""
        self.vpc_resource: bool = False
        self.network_interface_ip: str = ""
        self.http_port: str = ""
        self.token: str = ""
        self.link_url: str = ""
        self.ws_url: str = ""
        self.tool_list: list[McpTool] = []
        self.code: Code = Code(self)
        self.command: Command = Command(self)
        self.file_system: FileSystem = FileSystem(self)
        self.context: ContextManager = ContextManager(self)
        self._deleted = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(session_id={self.session_id!r})"

    @property
    def file(self) -> FileSystem:
        """The later name of `file_system`.

        Example:
            >>> session.file is session.file_system
            True
        """
        return self.file_system

    def get_api_key(self) -> str:
        """Return the API key of the client.

        Returns:
            The key, `""` where the embedded server is used without one.

        Example:
            >>> session.get_api_key()
            ''
        """
        return self.agb.api_key

    def get_session_id(self) -> str:
        """Return the id of the session.

        Returns:
            The same as `session_id`.

        Example:
            >>> session.get_session_id() == session.session_id
            True
        """
        return self.session_id

    def get_client(self) -> Client:
        """Return the HTTP side of the client.

        Returns:
            The same object as `agb.client`.

        Example:
            >>> session.get_client() is agb.client
            True
        """
        return self.agb.client

    def get_link_url(self) -> str:
        """Return the address of the direct route.

        Returns:
            The same as `link_url`.

        Example:
            >>> session.get_link_url()
            ''
        """
        return self.link_url

    def get_token(self) -> str:
        """Return the token of the direct route and of streaming.

        Returns:
            The same as `token`. Who has it can run code in this session.

        Example:
            >>> session.get_token() == session.token
            True
        """
        return self.token

    def info(self) -> OperationResult[dict[str, str]]:
        """Describe the session.

        Returns:
            A dict with `session_id` and `resource_url`; from the local server also `isolation`, the
            tier of its sandboxes; only if the service sends desktop information also `app_id`,
            `auth_code`, `connection_properties`, `resource_id`, `resource_type` and `ticket`.

        Example:
            >>> info = session.info()
            >>> info.data["session_id"] == session.session_id
            True
            >>> "app_id" in info.data
            False
        """
        return self._run(sessions.info(self.session_id))

    def set_labels(self, labels: Mapping[str, str]) -> OperationResult[None]:
        """Replace all labels of the session.

        Args:
            labels: The new labels, non-blank `str` to non-blank `str`. Labels that are not among
                them are gone afterwards.

        Returns:
            The result. Labels that break a rule fail without a request.

        Example:
            >>> result = session.set_labels({"project": "demo", "stage": "test"})
            >>> result.success
            True
            >>> refused = session.set_labels({"": "no key"})
            >>> refused.success
            False
        """
        return self._run(labelling.set_labels(self.session_id, labels))

    def get_labels(self) -> OperationResult[dict[str, str]]:
        """Read the labels of the session.

        Returns:
            The labels as a dict, `{}` if there are none; None on failure.

        Example:
            >>> _ = session.set_labels({"project": "demo"})
            >>> labels = session.get_labels()
            >>> labels.data
            {'project': 'demo'}
        """
        return self._run(labelling.get_labels(self.session_id))

    def update_labels(self, labels: Mapping[str, str]) -> OperationResult[dict[str, str]]:
        """Set some labels of the session and keep the others.

        It reads the labels and replaces them, two requests: another program that does so at the
        same time may win.

        Args:
            labels: The labels to set, by the rules of `set_labels`.

        Returns:
            All labels of the session afterwards.

        Example:
            >>> _ = session.set_labels({"project": "demo", "stage": "test"})
            >>> updated = session.update_labels({"stage": "live"})
            >>> updated.data
            {'project': 'demo', 'stage': 'live'}
        """
        return self._run(labelling.update_labels(self.session_id, labels))

    def remove_labels(self, *keys: str) -> OperationResult[dict[str, str]]:
        """Remove some labels of the session and keep the others.

        Args:
            *keys: Keys of the labels; one that the session does not have is no error.

        Returns:
            All labels of the session afterwards.

        Example:
            >>> _ = session.set_labels({"project": "demo", "stage": "test"})
            >>> removed = session.remove_labels("stage")
            >>> removed.data
            {'project': 'demo'}
        """
        return self._run(labelling.remove_labels(self.session_id, keys))

    def get_status(self) -> SessionStatusResult:
        """Ask where the session is in its life.

        Returns:
            The service's word in `status`, such as `RUNNING`.

        Example:
            >>> asked = session.get_status()
            >>> asked.status
            'RUNNING'
        """
        return self._run(sessions.get_status(self.session_id))

    def keep_alive(self) -> OperationResult[None]:
        """Start the idle time of the session anew, so that it is not deleted yet.

        Every other call does that as well; see `idle_release_timeout` of `CreateSessionParams`.

        Returns:
            The result.

        Example:
            >>> kept = session.keep_alive()
            >>> kept.success
            True
        """
        return self._run(sessions.keep_alive(self.session_id))

    def get_link(
        self, protocol_type: str | None = None, port: int | None = None
    ) -> OperationResult[str]:
        """Ask for an address of something inside the session, such as a web server.

        Args:
            protocol_type: Protocol of the address, `https` or `wss` in the cloud. The local server
                does not encrypt: it gives `http` for these, and `ws` for `ws` and `wss`.
            port: Port that the program in the session listens on, now or later; the cloud takes
                30100 to 30199, the local server every one.

        Returns:
            The address in `data`. Whoever has it can use it, until the session ends.

        Example:
            >>> server = (session.command.start("python3 -um http.server 30100")).unwrap()
            >>> for piece in server:
            ...     break  # it has said that it listens
            >>> link = (session.get_link(port=30100)).unwrap()
            >>> import httpx
            >>> httpx.get(link).status_code
            200
        """
        return self._run(sessions.get_link(self.session_id, protocol_type, port))

    def list_mcp_tools(self, image_id: str | None = None) -> McpToolsResult:
        """List the tools of an image.

        Args:
            image_id: Id of the image; None means that of this session, if it was asked for one.

        Returns:
            The tools. With no image at all it fails without a request.

        Example:
            >>> listed = session.list_mcp_tools("agb-code-space-1")
            >>> "shell" in [tool.name for tool in listed.tools]
            True
        """
        return self._run(tools.list_tools(image_id, self.image_id))

    def call_mcp_tool(
        self,
        tool_name: str,
        args: Mapping[str, Any] | None = None,
        read_timeout: int | None = None,
        connect_timeout: int | None = None,
    ) -> McpToolResult:
        """Call a tool by its name, also one that this package has no method for.

        Args:
            tool_name: Name of the tool.
            args: Its arguments; None means none.
            read_timeout: How long to wait for the reply, in milliseconds; None leaves that to
                the client.
            connect_timeout: The same for the connection.

        Returns:
            The tool's text in `data`, as it came.

        Example:
            >>> called = session.call_mcp_tool("create_directory", {"path": "made"})
            >>> called.success, called.data
            (True, 'ok')
        """
        operation = tools.call_tool(self.session_id, tool_name, args, read_timeout, connect_timeout)
        return self._run(operation)

    def get_metrics(
        self, read_timeout: int | None = None, connect_timeout: int | None = None
    ) -> SessionMetricsResult:
        """Measure what the session uses of its machine.

        Args:
            read_timeout: How long to wait for the reply, in milliseconds; None leaves that to
                the client.
            connect_timeout: The same for the connection.

        Returns:
            The figures in `metrics`, and as they came in `raw`.

        Example:
            >>> measured = session.get_metrics()
            >>> measured.metrics.cpu_count > 0
            True
        """
        return self._run(tools.get_metrics(self.session_id, read_timeout, connect_timeout))

    def delete(self, sync_context: bool = False, *, wait: bool = False) -> DeleteResult:
        """Delete the session.

        Args:
            sync_context: Sync all contexts of the session first, and wait for it. A sync that fails
                is logged, and the session is deleted all the same.
            wait: Also wait until nothing is left of the session, for five minutes at most.

        Returns:
            The result. Deleting a session that is gone already fails.

        Example:
            >>> created = agb.create()
            >>> deleted = created.session.delete()
            >>> deleted.success
            True
        """
        result = self._run(deletion.delete(self.session_id, sync_context, wait))
        self._deleted = self._deleted or result.success
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._clean_up(sync_context=False)

    def _clean_up(self, *, sync_context: bool) -> None:
        """Delete the session if the program did not; a failure is logged, so it hides no error."""
        if self._deleted:
            return
        reason = f"no reply within {_CLEANUP_S:.0f} s"
        try:
            with shielded(_CLEANUP_S):
                reason = (self.delete(sync_context)).error_message
        except RuntimeError as error:  # the program closed the client first
            reason = str(error)
        if reason:
            _logger.warning("Session %s was not deleted: %s", self.session_id, reason)

    def _wait_for_contexts(self) -> None:
        """Wait until the files of the contexts are there; if they never are, that is logged.

        Whoever is interrupted meanwhile has not been given the session yet, so it is deleted.
        """
        try:
            self._run(sync_operations.wait_for_downloads(self.session_id))
        except AGBError as error:
            _logger.warning("The contexts of session %s: %s", self.session_id, error)
        except BaseException:
            self._clean_up(sync_context=False)
            raise

    def _run(self, operation: Steps[T]) -> T:
        return self.get_client().run(operation)

    def _describe(self, data: GetSessionData) -> None:
        """Take over what the service tells of the session."""
        self.resource_url = data.resource_url
        self.app_instance_id = data.app_instance_id
        self.resource_id = data.resource_id
        self.vpc_resource = data.vpc_resource
        self.network_interface_ip = data.network_interface_ip
        self.http_port = data.http_port
        self.token = data.token
        self.link_url = data.link_url
        self.ws_url = data.ws_url
        self.tool_list = data.tool_list


class Session(BaseSession):
    """A session with code, commands and files: what `create` and `get` return.

    Example:
        >>> from agb import Session
        >>> Session(agb, "s-1").session_id
        's-1'
    """

    __module__ = "agb"


def found_session(agb: AGB, data: GetSessionData) -> Session:
    """Make a session of what the service tells of it."""
    session = Session(agb, data.session_id)
    session._describe(data)
    return session


def is_session(value: object) -> bool:
    """Tell whether a value is a session of this colour."""
    return isinstance(value, BaseSession)
