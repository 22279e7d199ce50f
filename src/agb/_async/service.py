"""The base of the modules of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .._core.wire.operation import Steps

if TYPE_CHECKING:
    from .session import AsyncBaseSession

T = TypeVar("T")


class AsyncBaseService:
    """Base of `AsyncCode`, `AsyncCommand` and `AsyncFileSystem`.

    Args:
        session: The session that the module works in.

    Example:
        >>> session.code.session is session
        True
    """

    __module__ = "agb"

    def __init__(self, session: AsyncBaseSession) -> None:
        self.session = session

    async def _run(self, operation: Steps[T]) -> T:
        return await self.session.get_client().run(operation)
