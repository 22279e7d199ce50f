"""Who may use a link, and what the program behind it gets to see of that.

An address is `http://host:port/<secret>/`. Whoever has it may use the link. The first page also
sets a cookie, because pages ask for `/static/app.js` as well, without the secret.

Each link has a port of its own, so that the pages of one session are strangers to those of another:
no script reads across. But cookies know no ports. So the cookie of one link is kept from the
programs behind the others, and lets nobody in who was sent here by a page from elsewhere.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable

import attrs
import h11

Headers = list[tuple[bytes, bytes]]

_COOKIE_PREFIX = b"agb-link-"
# Concern one connection only, by RFC 9110, section 7.6.1.
_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
# Answered here; or said anew, because a program may believe them.
_NOT_PASSED_ON = {b"expect", b"forwarded", b"x-forwarded-for", b"x-forwarded-host"} | {
    b"x-forwarded-proto"
}


@attrs.frozen
class Admitted:
    """A request that may be passed on.

    Attributes:
        target: What it asks the program for.
        headers: What the response has to carry besides the program's own headers.
    """

    target: bytes
    headers: Headers


class Admission:
    """The secret of one link."""

    def __init__(self) -> None:
        self.secret: str = secrets.token_urlsafe(24)
        self._secret = self.secret.encode()
        # Named for the link: a browser sends those of all links to each of them.
        self._cookie = _COOKIE_PREFIX + secrets.token_hex(6).encode()

    def admit(self, request: h11.Request) -> Admitted | None:
        """Say what a request may ask the program for; None if it may not ask at all."""
        head, slash, rest = request.target.removeprefix(b"/").partition(b"/")
        if not request.target.startswith(b"/"):
            return None
        if slash and hmac.compare_digest(head, self._secret):
            value = self._cookie + b"=" + self._secret + b"; Path=/; HttpOnly; SameSite=Strict"
            return Admitted(b"/" + rest, [(b"set-cookie", value)])
        if self._has_cookie(request) and _is_from_here(request):
            return Admitted(request.target, [])
        return None

    def is_without_slash(self, request: h11.Request) -> bool:
        """Say whether only the slash at the end is missing, which relative addresses need."""
        return hmac.compare_digest(request.target, b"/" + self._secret)

    def passed_on(self, request: h11.Request, client: str) -> Headers:
        """Choose the headers that the program gets to see.

        Args:
            request: The request.
            client: The address that it came from.
        """
        headers = without_hop_by_hop(request.headers)
        kept: Headers = []
        for name, value in headers:
            if name in _NOT_PASSED_ON:
                continue
            if name == b"cookie":
                value = b"; ".join(_foreign_cookies(value))
                if not value:
                    continue
            if name == b"referer":
                value = value.replace(b"/" + self._secret + b"/", b"/")
            kept.append((name, value))
        host = [(b"x-forwarded-host", value) for name, value in headers if name == b"host"]
        said = (b"x-forwarded-for", client.encode()), (b"x-forwarded-proto", b"http")
        return [*kept, *host, *said]

    def _has_cookie(self, request: h11.Request) -> bool:
        wanted = self._cookie + b"=" + self._secret
        cookies = [
            cookie
            for name, value in request.headers
            if name == b"cookie"
            for cookie in value.split(b";")
        ]
        return any(hmac.compare_digest(cookie.strip(), wanted) for cookie in cookies)


def without_hop_by_hop(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Leave out what concerns one connection only, also what a message itself names so."""
    kept = list(headers)
    named = b",".join(value for name, value in kept if name == b"connection").lower()
    left_out = _HOP_BY_HOP | {word.strip() for word in named.split(b",")}
    return [(name, value) for name, value in kept if name not in left_out]


def upgrade_of(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers that ask for, or agree to, another protocol; none if they do not."""
    kept = list(headers)
    wanted = [(name, value) for name, value in kept if name == b"upgrade"]
    connection = b",".join(value for name, value in kept if name == b"connection").lower()
    if not wanted or b"upgrade" not in re.split(rb"[,\s]+", connection):
        return []
    return [*wanted, (b"connection", b"upgrade")]


def _is_from_here(request: h11.Request) -> bool:
    """Say whether no page of another origin had the browser send this."""
    headers = dict(request.headers)
    if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
        return False
    origin = headers.get(b"origin")
    return origin is None or origin == b"http://" + headers.get(b"host", b"")


def _foreign_cookies(value: bytes) -> list[bytes]:
    cookies = [cookie.strip() for cookie in value.split(b";")]
    return [cookie for cookie in cookies if cookie and not cookie.startswith(_COOKIE_PREFIX)]
