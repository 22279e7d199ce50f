"""What a process is given on its standard input."""

from __future__ import annotations

import base64
import binascii
import os

from .failures import ToolFailure


def decoded(data: str, form: str) -> bytes:
    """Return the bytes that a call sent.

    Args:
        data: A text, or base64.
        form: `text` or `binary`.

    Raises:
        ToolFailure: It is not base64.
    """
    if form == "text":
        return data.encode()
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ToolFailure(f"The input is not base64: {error}") from error


class Input:
    """Bytes on their way into a pipe that does not block."""

    def __init__(self, data: bytes) -> None:
        self.rest: memoryview = memoryview(data)

    def feed(self, descriptor: int) -> bool:
        """Write what the pipe takes now.

        Returns:
            Whether there is more to write; not if nobody reads it any more.
        """
        try:
            while self.rest:
                self.rest = self.rest[os.write(descriptor, self.rest) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        return False
