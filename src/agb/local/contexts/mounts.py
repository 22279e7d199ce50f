"""A context in a session: at which path, and which of its files travel how."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attrs

from ..machine.paths import is_below


def parts(path: str) -> list[str]:
    """Split a clean path into its names."""
    return [part for part in path.split("/") if part]


@attrs.frozen
class WhiteLists:
    """Which files of a context travel: all, or those below some paths less others.

    Attributes:
        pairs: A path below the top and those below it that are left out; none at all means all
            files.
    """

    pairs: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def takes(self, path: str) -> bool:
        """Say whether a file is meant."""
        if not self.pairs:
            return True
        return any(
            _holds(white, path) and not any(_holds(left_out, path) for left_out in excluded)
            for white, excluded in self.pairs
        )

    def enters(self, path: str) -> bool:
        """Say whether something in a directory may be meant."""
        if self.takes(path):
            return True
        return any(_holds(path, white) for white, _ in self.pairs)


def _holds(directory: str, path: str) -> bool:
    """Say whether a path below the top is a directory or something in it; "" is the top itself."""
    return not directory or is_below(path, directory)


@attrs.frozen(kw_only=True)
class Mount:
    """A context in a session.

    Attributes:
        context_id: The context.
        path: Where it is in the session.
        kept_at: The path under which the context keeps its files.
        uploads: Save the files when the session ends.
        downloads: Bring the files when the session begins.
        deletes: What was deleted in the session is deleted in the context.
        selection: Which files travel.
        archived: The files are kept as one archive.
        extracts: That archive is unpacked in the session.
        keeps_archive: The archive itself is brought into the session as well.
        keep_days: Files saved longer ago are removed; None keeps them for ever.
        recycled: What `keep_days` is about, paths below the top.
    """

    context_id: str
    path: str
    kept_at: str
    uploads: bool = True
    downloads: bool = True
    deletes: bool = True
    selection: WhiteLists = WhiteLists()
    archived: bool = False
    extracts: bool = True
    keeps_archive: bool = False
    keep_days: int | None = None
    recycled: tuple[str, ...] = ("",)


def write_down(mounts: Sequence[Mount]) -> str:
    """Write the contexts of a session as JSON, for `read_again`."""
    return json.dumps([attrs.asdict(mount) for mount in mounts])


def read_again(text: str) -> list[Mount]:
    """Read what `write_down` has written."""
    mounts: list[Mount] = []
    for fields in json.loads(text):
        pairs = fields.pop("selection")["pairs"]
        selection = WhiteLists(tuple((white, tuple(excluded)) for white, excluded in pairs))
        recycled = tuple(fields.pop("recycled"))
        mounts.append(Mount(**fields, selection=selection, recycled=recycled))
    return mounts
