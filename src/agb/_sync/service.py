"""The base of the modules of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .._core.wire.operation import Steps

if TYPE_CHECKING:
    from .session import BaseSession

T = TypeVar("T")


class BaseService:
    """Base of `Code`, `Command` and `FileSystem`.

    Args:
        session: The session that the module works in.

    Example:
        >>> session.code.session is session
        True
    """

    __module__ = "agb"

    def __init__(self, session: BaseSession) -> None:
        self.session = session

    def _run(self, operation: Steps[T]) -> T:
        return self.session.get_client().run(operation)
