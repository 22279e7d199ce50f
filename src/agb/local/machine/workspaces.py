"""Where sandboxes have their files on this machine, and which of these outlive them."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from attrs import frozen

from ..life import exit_of
from ..spawner.state import remove_empty, start_removing
from .recipe import Bind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@frozen
class Workspace:
    """The directories of one sandbox.

    Attributes:
        home: The one that becomes its home directory.
        name: By what they are found again; "" if they end with the sandbox.
    """

    home: str
    name: str = ""

    def volumes(self, paths: Sequence[str]) -> list[Bind]:
        """Choose the directories of the sandbox's volumes; the spawner makes them."""
        return [
            Bind(source=f"{self.home}-volume-{index}", target=path)
            for index, path in enumerate(paths)
        ]


class Workspaces:
    """The workspaces that outlive their sandboxes, below one directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def make(self) -> Workspace:
        """Make room for a new one.

        Raises:
            OSError: There is none.
        """
        name = secrets.token_hex(12)
        path = os.path.join(self._directory, name)
        os.mkdir(path)
        # Its user may pass, nobody may look around.
        os.chmod(path, 0o711)  # noqa: S103
        return self.find(name)

    def find(self, name: str) -> Workspace:
        """Return one by its name."""
        return Workspace(os.path.join(self._directory, name, "home"), name)

    async def remove(self, *names: str) -> None:
        """Remove some with everything in them; nothing happens to those that are not there."""
        paths = [os.path.join(self._directory, name) for name in names]
        # First the homes, which are all that is in a workspace without contexts.
        remove_empty([os.path.join(path, "home") for path in paths])
        full = remove_empty(paths)
        if full:
            # Not in a thread: a large one would keep the server from ending.
            await exit_of(start_removing(*full))

    async def keep_only(self, names: Collection[str]) -> None:
        """Remove all others: what a server left that was killed half way."""
        await self.remove(*(set(os.listdir(self._directory)) - set(names)))
