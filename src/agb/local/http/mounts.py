"""Reads which contexts a new session asks for: at which path, and which of their files travel."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import cast

from ..contexts.mounts import Mount, WhiteLists
from ..json_values import is_unicode, type_name
from ..machine.paths import is_below
from .envelope import invalid_request, not_supported
from .json_parameters import as_array, as_object, decoded

MAX_MOUNTS = 16

_LIFECYCLE = re.compile(r"Lifecycle_(?:([0-9]{1,3})Days?|Forever)")


def clean_path(name: str, value: str) -> str:
    """Check an absolute path and bring it into its one form.

    Args:
        name: Its name, for the message.
        value: The path.

    Returns:
        The path without `.`, doubled slashes and a slash at its end.

    Raises:
        ApiFailure: It is no absolute path, or leads upwards.
    """
    if not is_unicode(value) or "\0" in value or len(value.encode()) > 4000:
        raise invalid_request(f"{name} is not a path")
    if not value.startswith("/") or ".." in value.split("/"):
        raise invalid_request(f"{name} must be an absolute path without '..', not {value[:200]!r}")
    return "/" + posixpath.normpath(value).strip("/")


def read_mounts(value: object) -> list[Mount]:
    """Read the `persistenceDataList` of a new session.

    Args:
        value: The list as it came, or None.

    Returns:
        The contexts of the session.

    Raises:
        ApiFailure: It can't be understood, or asks for what this server can't do.
    """
    if value is None or value == "":
        return []
    items = _list("persistenceDataList", value)
    if len(items) > MAX_MOUNTS:
        raise invalid_request(f"a session has at most {MAX_MOUNTS} contexts, not {len(items)}")
    mounts = [_mount(_object("an entry of persistenceDataList", item)) for item in items]
    for index, mount in enumerate(mounts):
        for other in mounts[:index]:
            if is_below(mount.path, other.path) or is_below(other.path, mount.path):
                raise invalid_request(
                    f"two contexts can't be at {other.path} and {mount.path}: one path holds the"
                    " other"
                )
    return mounts


def _mount(item: Mapping[str, object]) -> Mount:
    path = clean_path("path", _text(item, "path"))
    policy = _object("policy", _decoded("policy", item.get("policy")))
    upload = _object("uploadPolicy", policy.get("uploadPolicy"))
    download = _object("downloadPolicy", policy.get("downloadPolicy"))
    _one_of(upload, "uploadStrategy", "UploadBeforeResourceRelease")
    _one_of(download, "downloadStrategy", "DownloadAsync")
    _one_of(upload, "uploadMode", "File", "Archive")
    extract = _object("extractPolicy", policy.get("extractPolicy"))
    mapping = _object("mappingPolicy", policy.get("mappingPolicy"))
    kept_at = _text(mapping, "path") if mapping.get("path") else path
    recycle = _object("recyclePolicy", policy.get("recyclePolicy"))
    delete = _object("deletePolicy", policy.get("deletePolicy"))
    return Mount(
        context_id=_text(item, "contextId"),
        path=path,
        kept_at=clean_path("mappingPolicy.path", kept_at),
        uploads=_flag(upload, "autoUpload"),
        downloads=_flag(download, "autoDownload"),
        deletes=_flag(delete, "syncLocalFile"),
        selection=_white_lists(_object("bwList", policy.get("bwList")), path),
        archived=upload.get("uploadMode") == "Archive",
        extracts=_flag(extract, "extract"),
        keeps_archive=not _flag(extract, "deleteSrcFile"),
        keep_days=_days(recycle),
        recycled=tuple(_below_top(each, path) for each in _texts(recycle, "paths", [""])),
    )


def _white_lists(bw_list: Mapping[str, object], top: str) -> WhiteLists:
    given = bw_list.get("whiteLists")
    items = [] if given is None else _list("whiteLists", given)
    lists = [_object("an entry of whiteLists", item) for item in items]
    return WhiteLists(
        tuple(
            (
                _below_top(_text(item, "path", required=False), top),
                tuple(_below_top(each, top) for each in _texts(item, "excludePaths", [])),
            )
            for item in lists
        )
    )


def _below_top(path: str, top: str) -> str:
    """Read a path of a policy: counted from the context's own path, or absolute and below it."""
    clean = clean_path("a path of the policy", "/" + path.lstrip("/"))
    if path.startswith("/") and is_below(clean, top):
        clean = clean[len(top) :]
    return clean.strip("/")


def _days(recycle: Mapping[str, object]) -> int | None:
    word = recycle.get("lifecycle")
    if word is None:
        return None
    found = _LIFECYCLE.fullmatch(word) if isinstance(word, str) else None
    if found is None:
        raise invalid_request(f"lifecycle is not known: {str(word)[:100]!r}")
    return int(found[1]) if found[1] else None


def _one_of(policy: Mapping[str, object], name: str, *words: str) -> None:
    value = policy.get(name)
    if value not in (None, "", *words):
        known = " and ".join(map(repr, words))
        raise not_supported(f"This local server knows only {known} as {name}, not {value!r:.100}.")


def _flag(policy: Mapping[str, object], name: str) -> bool:
    value = policy.get(name, True)
    if not isinstance(value, bool):
        raise invalid_request(f"{name} must be true or false, not {type_name(value)}")
    return value


def _text(item: Mapping[str, object], name: str, *, required: bool = True) -> str:
    value = item.get(name)
    if value in (None, "") and not required:
        return ""
    if not isinstance(value, str) or not value.strip():
        raise invalid_request(f"{name} is required and must be a string")
    return value


def _texts(item: Mapping[str, object], name: str, default: Sequence[str]) -> list[str]:
    values = _list(name, item.get(name) if item.get(name) is not None else list(default))
    for value in values:
        if not isinstance(value, str):
            raise invalid_request(f"{name} must hold strings, not {type_name(value)}")
    return cast("list[str]", values)


def _decoded(name: str, value: object) -> object:
    """Decode what may come as JSON text; a missing or empty policy is the default one."""
    return None if isinstance(value, str) and not value.strip() else decoded(name, value)


def _object(name: str, value: object) -> Mapping[str, object]:
    return {} if value is None else as_object(name, value)


def _list(name: str, value: object) -> list[object]:
    return as_array(name, _decoded(name, value))
