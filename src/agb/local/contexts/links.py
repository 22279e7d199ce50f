"""Addresses of files that anybody may use for a while: signed, so that none can be made up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time

import attrs

LIFE_S = 3600


class InvalidLink(Exception):
    """Raised for an address that this server did not make, or that has expired."""


@attrs.frozen
class Link:
    """What an address stands for.

    Attributes:
        method: The HTTP method it is for.
        context_id: The context.
        path: The file.
    """

    method: str
    context_id: str
    path: str


class Links:
    """Makes addresses and reads them; the key lives as long as the server."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def make(self, link: Link) -> str:
        """Make an address.

        Args:
            link: What it stands for.

        Returns:
            A word for the path of a URL.
        """
        facts = [link.method, link.context_id, link.path, int(time.time()) + LIFE_S]
        content = _encoded(json.dumps(facts).encode())
        return f"{content}.{self._signature(content)}"

    def read(self, word: str, method: str) -> Link:
        """Read an address.

        Args:
            word: What `make` made.
            method: The HTTP method of the request.

        Returns:
            What it stands for.

        Raises:
            InvalidLink: It is not one of this server, or not any more, or for another method.
        """
        content, _, signature = word.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            raise InvalidLink("This address was not made by this server.")
        wanted, context_id, path, expires = json.loads(base64.urlsafe_b64decode(content))
        if time.time() > expires:
            raise InvalidLink("This address has expired; ask for a new one.")
        if method != wanted:
            raise InvalidLink(f"This address is for {wanted}, not for {method}.")
        return Link(wanted, context_id, path)

    def _signature(self, content: str) -> str:
        return _encoded(hmac.digest(self._key, content.encode(), hashlib.sha256))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")
