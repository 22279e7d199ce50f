"""What takes the place of a recipe where AGB_LOCAL_ISOLATION=none asks for no isolation."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from attrs import frozen

from ..spawner import bare
from .bubblewrap import Bubblewrap
from .recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .recipe import Bind

WARNING = (
    "AGB_LOCAL_ISOLATION=none: NO ISOLATION. The code of sessions runs as ordinary processes of "
    "{user}, with all of its rights: it can read and change every file, process and network that "
    "{user} can. Unset AGB_LOCAL_ISOLATION unless you trust all of that code."
)


@frozen(kw_only=True)
class BareRecipe(Recipe):
    """What all sessions of a server without isolation have in common."""

    agent_parent: str
    """Where the package `inside` lies."""

    def options(self, workspace: str, volumes: Sequence[Bind] = ()) -> list[str]:
        """Return the one option that is understood; see `spawner.bare`."""
        return ["--chdir", workspace]

    def home_of(self, workspace: str) -> str:
        """Return the home directory: there is no other view of it."""
        return workspace

    def why_not_a_volume(self, path: str) -> str:
        """Refuse every volume: a path belongs to the whole machine."""
        return "without isolation (AGB_LOCAL_ISOLATION=none) sessions have no paths of their own"

    def command(self) -> list[str]:
        """Return the agent's command line; the number of its socket is to be added."""
        return self._command(self.agent_parent)


def starter(state: str) -> Bubblewrap:
    """Make the program that is started in bubblewrap's place.

    Args:
        state: The directory of the server; it ends with that.
    """
    path = os.path.join(state, "inside", "start")
    python, program = shlex.quote(sys.executable), shlex.quote(os.path.abspath(bare.__file__))
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {python} -I -S {program} "$@"\n')
    os.chmod(path, 0o700)
    return Bubblewrap(path=path, directory=os.path.dirname(path), bundled=False)


def warning() -> str:
    """Say what it means, for this user."""
    return WARNING.format(user="root" if os.geteuid() == 0 else f"user {os.geteuid()}")
