"""The store behind pre-signed addresses: what its replies mean, and what to ask it next.

It is no service of the protocol: it knows no envelope and no key. The address itself is the key,
so no message shows more of it than the host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from attrs import frozen

from agb._core.exceptions import APIError, FileError
from agb._core.files.request_sizes import SLOWEST_LINE
from agb._core.wire import retry

MOST_REDIRECTS = 5
EXCERPT_BYTES = 2000
_SHOWN_LENGTH = 200
_SENT = (200, 201, 204)
_REDIRECTS = (301, 302, 307, 308)
_WHOLE, _PART, _NOT_FOUND, _NOT_SATISFIABLE = 200, 206, 404, 416
# A store that is out of breath may have taken nothing or all of it; the same again does no harm.
_PASSING = (408, 429, 500, 502, 503, 504)
_MD5 = re.compile(r'"?([0-9a-fA-F]{32})"?')
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")


@frozen
class StoreReply:
    """What a store answered, without the content of a file.

    Args:
        status: HTTP status.
        headers: Value by name in lower case.
        excerpt: The beginning of the body of a refusal.
    """

    status: int
    headers: Mapping[str, str]
    excerpt: str = ""

    @property
    def etag(self) -> str:
        """How the store names the content, `""` if it does not."""
        return self.headers.get("etag", "")

    @property
    def md5(self) -> str:
        """The checksum of the content, `""` if the store does not tell.

        Stores name an object that came in one piece by its MD5; one in parts has a hyphen, and one
        that is encrypted with a key of a third party has a name of the same form that is no MD5.
        """
        found = _MD5.fullmatch(self.etag)
        is_encrypted = any(name.startswith("x-amz-server-side-encryption") for name in self.headers)
        return found[1].lower() if found and not is_encrypted else ""


def host(url: str) -> str:
    """Return the part of an address that may be shown."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return "an address that is none"


def redirect(url: str, reply: StoreReply) -> str | None:
    """Return where a store sends us, None if it does not.

    Raises:
        APIError: The way there would not be encrypted any more.
    """
    location = reply.headers.get("location", "")
    if reply.status not in _REDIRECTS or not location:
        return None
    target = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise APIError(
            f"The file store at {host(url)} redirects to one without encryption",
            status_code=reply.status,
        )
    return target


def allowance_s(timeout_s: float, passed: int) -> float:
    """Return how long so many bytes of a file may take: longer than that, the line is too slow."""
    return timeout_s + passed / SLOWEST_LINE


def check_taken(url: str, reply: StoreReply) -> None:
    """Check that a store has taken a file.

    Raises:
        AGBError: It has not.
    """
    if reply.status not in _SENT:
        raise _refused("PUT", url, reply)


def check_same(url: str, reply: StoreReply, md5: str) -> None:
    """Check that a store has what was sent.

    Raises:
        APIError: It says that it has something else.
    """
    if reply.md5 and reply.md5 != md5:
        raise APIError(
            f"The file store at {host(url)} got something else than was sent"
            f" (MD5 {reply.md5}, not {md5}); try again",
            status_code=reply.status,
            retryable=True,
        )


def offset_of_body(url: str, reply: StoreReply, received: int) -> int:
    """Return where in the file the body of a reply belongs.

    Args:
        url: What was asked.
        reply: Its reply.
        received: How much there is already; the rest was asked for.

    Raises:
        AGBError: There is no body of the file.
    """
    if reply.status == _WHOLE:
        return 0
    if reply.status == _PART and received:
        found = _CONTENT_RANGE.match(reply.headers.get("content-range", ""))
        if found and int(found[1]) == received:
            return received
    raise _refused("GET", url, reply)


def length(reply: StoreReply) -> int | None:
    """Return how long the whole file is, None if the store does not tell."""
    found = _CONTENT_RANGE.match(reply.headers.get("content-range", ""))
    told = found[2] if found else reply.headers.get("content-length", "")
    if found is None and reply.headers.get("transfer-encoding"):
        return None
    return int(told) if told.isdecimal() else None


def check_received(url: str, reply: StoreReply, received: int, md5: str) -> None:
    """Check that what came is what the store has.

    Raises:
        APIError: It is not.
    """
    expected = length(reply)
    if expected is not None and expected != received:
        problem = f"{received} bytes instead of {expected}"
    elif reply.md5 and reply.md5 != md5:
        problem = f"MD5 {md5} instead of {reply.md5}"
    else:
        return
    raise APIError(
        f"The file came changed from the store at {host(url)} ({problem}); try again",
        status_code=reply.status,
        retryable=True,
    )


def can_resume(etag: str) -> bool:
    """Tell whether the rest of a content can be asked for: only a strong name is of its bytes."""
    return bool(etag) and not etag.startswith("W/")


def _refused(method: str, url: str, reply: StoreReply) -> FileError | APIError:
    reason = _reason(reply.excerpt)
    message = f"{method} at the file store {host(url)}: HTTP {reply.status}"
    kind = FileError if reply.status in (_NOT_FOUND, 409, 413, 507) else APIError
    return kind(
        f"{message}{': ' if reason else ''}{reason}",
        status_code=reply.status,
        retryable=reply.status in (*_PASSING, _NOT_SATISFIABLE),
        retry_after=retry.retry_after(reply.headers),
    )


def _reason(excerpt: str) -> str:
    """Return what a refusal says; of XML only its message, for the rest quotes the signature."""
    if excerpt.lstrip().startswith("<"):
        found = re.search("<Message>(.*?)</Message>", excerpt, re.DOTALL)
        return found[1].strip()[:_SHOWN_LENGTH] if found else ""
    return excerpt.strip()[:_SHOWN_LENGTH]
