"""What policies choose from."""

from __future__ import annotations

from enum import Enum
from typing import Any

from agb._core.exceptions import InvalidArgumentError


class UploadStrategy(Enum):
    """When a context's files are saved.

    Example:
        >>> from agb import UploadStrategy
        >>> UploadStrategy.UPLOAD_BEFORE_RESOURCE_RELEASE.value
        'UploadBeforeResourceRelease'
    """

    __module__ = "agb"

    UPLOAD_BEFORE_RESOURCE_RELEASE = "UploadBeforeResourceRelease"


class DownloadStrategy(Enum):
    """When a context's files are brought into a session.

    Example:
        >>> from agb import DownloadStrategy
        >>> DownloadStrategy.DOWNLOAD_ASYNC.value
        'DownloadAsync'
    """

    __module__ = "agb"

    DOWNLOAD_ASYNC = "DownloadAsync"


class UploadMode(Enum):
    """In which form a context's files are saved.

    Example:
        >>> from agb import UploadMode
        >>> UploadMode.ARCHIVE.value
        'Archive'
    """

    __module__ = "agb"

    FILE = "File"
    ARCHIVE = "Archive"


class Lifecycle(Enum):
    """How long saved files are kept.

    Example:
        >>> from agb import Lifecycle
        >>> Lifecycle.LIFECYCLE_FOREVER.value
        'Lifecycle_Forever'
    """

    __module__ = "agb"

    LIFECYCLE_1DAY = "Lifecycle_1Day"
    LIFECYCLE_3DAYS = "Lifecycle_3Days"
    LIFECYCLE_5DAYS = "Lifecycle_5Days"
    LIFECYCLE_10DAYS = "Lifecycle_10Days"
    LIFECYCLE_15DAYS = "Lifecycle_15Days"
    LIFECYCLE_30DAYS = "Lifecycle_30Days"
    LIFECYCLE_90DAYS = "Lifecycle_90Days"
    LIFECYCLE_180DAYS = "Lifecycle_180Days"
    LIFECYCLE_360DAYS = "Lifecycle_360Days"
    LIFECYCLE_FOREVER = "Lifecycle_Forever"


def member(instance: object, attribute: Any, value: object) -> None:  # noqa: ANN401  (attrs)
    """Check that a field is a member of the enumeration of its default."""
    kind: type[Enum] = type(attribute.default)
    if not isinstance(value, kind):
        names = ", ".join(f"{kind.__name__}.{member.name}" for member in kind)
        raise InvalidArgumentError(f"{attribute.name} must be one of {names} (found {value!r})")
