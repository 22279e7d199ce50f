"""Reads what a caller sent: the key, the body, the parameters."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

import attrs
from starlette.requests import Request

from ..json_values import is_unicode, type_name
from ..sessions.records import ReplyForm
from .envelope import ApiFailure, invalid_request
from .json_parameters import as_array, as_object, decoded

STRUCTURED_SINCE = (0, 8)
"""The client release that began to read structured replies of `run_code` and `shell`."""


@attrs.frozen
class Call:
    """One authorized request, whatever its endpoint.

    Attributes:
        request_id: Its identifier.
        parameters: Query and body as one; the body wins. Names begin with a small letter, since
            clients send both `Labels` and `labels`.
        base_url: The address under which the client reached this server.
        listener: The address of this machine that the client's connection came to.
    """

    request_id: str
    parameters: Mapping[str, object]
    base_url: str = ""
    listener: str = ""

    def text(self, name: str) -> str:
        """Read a parameter that must be there.

        Args:
            name: Its name.

        Returns:
            Its value.

        Raises:
            ApiFailure: It is missing, blank or not a string.
        """
        value = self.optional_text(name)
        if not value.strip():
            raise ApiFailure(400, "MissingParameter", f"{name} is required")
        return value

    def optional_text(self, name: str) -> str:
        """Read a parameter that may be left out.

        Args:
            name: Its name.

        Returns:
            Its value, or "".

        Raises:
            ApiFailure: It is not a string.
        """
        value = self.parameters.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise invalid_request(f"{name} must be a string, not {type_name(value)}")
        if not is_unicode(value):
            raise invalid_request(f"{name} is not valid Unicode")
        return value

    def number(self, name: str, *, default: int, at_most: int) -> int:
        """Read a parameter that counts something; queries carry it as text.

        Args:
            name: Its name.
            default: Its value if it is left out.
            at_most: The highest value.

        Returns:
            Its value.

        Raises:
            ApiFailure: It is not an integer from 1 to the highest value.
        """
        value = self.parameters.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= at_most:
            raise invalid_request(f"{name} must be an integer from 1 to {at_most}")
        return value

    def json_object(self, name: str) -> dict[str, object]:
        """Read a parameter that is an object, or an object as JSON text.

        Args:
            name: Its name.

        Returns:
            The object; empty if it is left out.

        Raises:
            ApiFailure: It is something else.
        """
        value = self.parameters.get(name)
        if value is None or value == "":
            return {}
        return as_object(name, decoded(name, value))

    def json_array(self, name: str) -> list[object]:
        """Read a parameter that is an array, or an array as JSON text.

        Args:
            name: Its name.

        Returns:
            The array.

        Raises:
            ApiFailure: It is something else, or left out.
        """
        return as_array(name, decoded(name, self.parameters.get(name)))

    def labels(self, *, at_most: int) -> dict[str, str]:
        """Read the labels.

        Args:
            at_most: How many there may be.

        Returns:
            The labels; empty if there are none.

        Raises:
            ApiFailure: They are not an object of strings, or too many.
        """
        labels: dict[str, str] = {}
        for name, value in self.json_object("labels").items():
            if not isinstance(value, str):
                raise invalid_request(f"label values must be strings, not {type_name(value)}")
            if not (is_unicode(name + value) and "\0" not in name + value):
                raise invalid_request("labels must be valid Unicode without NUL characters")
            labels[name] = value
        if len(labels) > at_most:
            raise invalid_request(f"a session has at most {at_most} labels, not {len(labels)}")
        return labels

    def reply_form(self) -> ReplyForm:
        """Tell which reply form the client reads, from the release it says it is.

        Returns:
            The form; plain for a client that says nothing, as the oldest ones do.
        """
        try:
            version = self.json_object("sdkStats").get("sdk_version")
        except ApiFailure:
            return ReplyForm.PLAIN
        numbers = re.match(r"(\d{1,9})\.(\d{1,9})", version) if isinstance(version, str) else None
        if numbers is None or (int(numbers[1]), int(numbers[2])) < STRUCTURED_SINCE:
            return ReplyForm.PLAIN
        return ReplyForm.STRUCTURED


def authorize(request: Request, api_key: str) -> None:
    """Let only those in who know the key.

    Args:
        request: The request.
        api_key: The key.

    Raises:
        ApiFailure: The request does not carry it.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if not is_secret(key.strip(), api_key) or scheme.lower() != "bearer":
        raise ApiFailure(401, "InvalidApiKey", "The API key is missing or wrong.")


def is_secret(given: str, secret: str) -> bool:
    """Say whether a header is a secret, in a time that tells nothing about it."""
    # Compared as bytes: `compare_digest` refuses text beyond ASCII. Headers are Latin-1.
    return hmac.compare_digest(given.encode("latin-1"), secret.encode())


async def read_call(request: Request, request_id: str, *, max_body_bytes: int) -> Call:
    """Read the parameters of a request.

    Args:
        request: The request.
        request_id: Its identifier.
        max_body_bytes: The longest body to read.

    Returns:
        The call.

    Raises:
        ApiFailure: The body is too long or not a JSON object.
    """
    body = await _read_body(request, max_body_bytes)
    # Some clients send nothing where others send `{}`.
    name = "the request body"
    content = as_object(name, decoded(name, body)) if body.strip() else {}
    sent = {**request.query_params, **content}
    parameters = {name[:1].lower() + name[1:]: sent[name] for name in sent}
    listener, _port = request.scope.get("server") or ("", None)
    return Call(request_id, parameters, str(request.base_url), listener)


async def _read_body(request: Request, max_body_bytes: int) -> bytes:
    too_long = ApiFailure(
        413, "RequestTooLarge", f"The request body is longer than {max_body_bytes} bytes."
    )
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > max_body_bytes:
        raise too_long
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_body_bytes:
            raise too_long
    return bytes(body)
