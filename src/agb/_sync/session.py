"""A session: its modules, labels, description and end."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from .._core import arguments, sessions
from .._core.operation import Steps
from .._core.results import DeleteResult, GetSessionData, OperationResult
from .._pair import shielded
from .client import Client
from .code import Code
from .command import Command
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
        app_instance_id: Id of the running instance, after `get`.
        resource_id: Id of the resource behind the session, after `get`.
        vpc_resource: Whether the session runs in a private network, after `get`.
        network_interface_ip: Address of the direct route, after `get`.
        http_port: Port of the direct route, after `get`.
        token: Token of the direct route, after `get`.
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
        self.code: Code = Code(self)
        self.command: Command = Command(self)
        self.file_system: FileSystem = FileSystem(self)
        self._deleted = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(session_id={self.session_id!r})"

    @property
    def file(self) -> FileSystem:
        """The later name of `file_system`."""
        return self.file_system

    def get_api_key(self) -> str:
        """Return the API key of the client.

        Returns:
            The key, `""` where the embedded server is used without one.
        """
        return self.agb.api_key

    def get_session_id(self) -> str:
        """Return the id of the session.

        Returns:
            The same as `session_id`.
        """
        return self.session_id

    def get_client(self) -> Client:
        """Return the HTTP side of the client.

        Returns:
            The same object as `agb.client`.
        """
        return self.agb.client

    def info(self) -> OperationResult[dict[str, str]]:
        """Describe the session.

        Returns:
            A dict with `session_id` and `resource_url`; only if the service sends desktop
            information also `app_id`, `auth_code`, `connection_properties`, `resource_id`,
            `resource_type` and `ticket`.

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
        return self._run(sessions.set_labels(self.session_id, labels))

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
        return self._run(sessions.get_labels(self.session_id))

    def delete(self, sync_context: bool = False) -> DeleteResult:
        """Delete the session.

        Args:
            sync_context: Sync all contexts of the session first, and wait for it. A sync that fails
                is logged, and the session is deleted all the same.

        Returns:
            The result. Deleting a session that is gone already fails.

        Example:
            >>> created = agb.create()
            >>> deleted = created.session.delete()
            >>> deleted.success
            True
        """
        result = self._run(sessions.delete(self.session_id, sync_context))
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


class Session(BaseSession):
    """A session with code, commands and files: what `create` and `get` return."""

    __module__ = "agb"


def found_session(agb: AGB, data: GetSessionData) -> Session:
    """Make a session of what the service tells of it."""
    session = Session(agb, data.session_id)
    session._describe(data)
    return session


def is_session(value: object) -> bool:
    """Tell whether a value is a session of this colour."""
    return isinstance(value, BaseSession)
