"""Pages of a list in the order of creation, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64


class InvalidPageToken(ValueError):
    """Raised for a page token that this server did not give out."""


def page_token(position: int) -> str:
    """Make the token of the page after a place in the order of creation."""
    # Opaque on purpose: a number would invite programs to calculate with it.
    return base64.urlsafe_b64encode(b"after:%d" % position).decode("ascii")


def page_position(token: str | None) -> int:
    """Read a page token.

    Args:
        token: The token, or None for the first page.

    Returns:
        The place after which the page begins.

    Raises:
        InvalidPageToken: It is not one of this server.
    """
    if token is None:
        return 0
    try:
        word, _, number = base64.b64decode(token, altchars=b"-_", validate=True).partition(b":")
        if word != b"after" or not number.isdigit() or len(number) > 18:
            raise InvalidPageToken(token)
        return int(number)
    except ValueError as error:
        raise InvalidPageToken(token) from error
