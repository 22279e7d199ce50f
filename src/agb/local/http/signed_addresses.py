"""Signed addresses of files, which anybody may use for a while and nobody can make up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time

import attrs

LIFE_S = 3600


class InvalidAddress(Exception):
    """Raised for an address that this server did not make, or that has expired."""


@attrs.frozen
class Address:
    """What an address stands for.

    Attributes:
        method: The HTTP method it is for.
        context_id: The context.
        path: The file.
    """

    method: str
    context_id: str
    path: str


class Addresses:
    """Makes addresses and reads them; the key lives as long as the server."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def make(self, address: Address) -> str:
        """Make an address.

        Args:
            address: What it stands for.

        Returns:
            A word for the path of a URL.
        """
        facts = [address.method, address.context_id, address.path, int(time.time()) + LIFE_S]
        content = _encoded(json.dumps(facts).encode())
        return f"{content}.{self._signature(content)}"

    def read(self, word: str, method: str) -> Address:
        """Read an address.

        Args:
            word: What `make` made.
            method: The HTTP method of the request.

        Returns:
            What it stands for.

        Raises:
            InvalidAddress: It is not one of this server, or not any more, or for another method.
        """
        content, _, signature = word.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            raise InvalidAddress("This address was not made by this server.")
        wanted, context_id, path, expires = json.loads(base64.urlsafe_b64decode(content))
        if time.time() > expires:
            raise InvalidAddress("This address has expired; ask for a new one.")
        if method != wanted:
            raise InvalidAddress(f"This address is for {wanted}, not for {method}.")
        return Address(wanted, context_id, path)

    def _signature(self, content: str) -> str:
        return _encoded(hmac.digest(self._key, content.encode(), hashlib.sha256))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")
