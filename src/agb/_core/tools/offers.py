"""What a service offers beyond the official SDK: asked once, remembered, and said when missing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from agb._core.exceptions import AGBError, UnsupportedError
from agb._core.tools import tool_calls
from agb._core.tools.tool import read_tools
from agb._core.wire.operation import Steps, send
from agb._core.wire.replies import as_object

# Tools are listed by image; of a session that was found by its id the image is not known.
_DEFAULT_IMAGE = "agb-code-space-1"
# The reply to a question that the service does not understand; not one about the key, or for later.
_NOT_UNDERSTOOD = range(400, 500)
_OTHER_REASONS = (401, 403, 408, 429)

Arguments = frozenset[str]


class Offers:
    """The tools of one service, as far as they have been asked for.

    Args:
        endpoint: The service, for messages.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._tools: dict[str, Mapping[str, Arguments]] = {}

    def require(self, image_id: str, tool: str, argument: str = "") -> Steps[None]:
        """Make sure that a tool is there before it is called.

        Args:
            image_id: Image of the session, `""` if it is not known.
            tool: Name of the tool.
            argument: An argument that it has to take, `""` if that does not matter.

        Raises:
            UnsupportedError: It is not there, or does not take the argument.
            AGBError: The service could not be asked.
        """
        image = image_id or _DEFAULT_IMAGE
        if image not in self._tools:
            self._tools[image] = yield from self._ask(image, tool)
        offered = self._tools[image]
        if tool not in offered:
            raise self.missing(tool)
        if argument and argument not in offered[tool]:
            raise UnsupportedError(
                f"The tool {tool!r} of the service at {self._endpoint} takes no {argument!r},"
                " which this call needs; nothing was run",
                tool=tool,
                endpoint=self._endpoint,
            )

    def missing(self, tool: str, reason: str = "") -> UnsupportedError:
        """Make the error of a tool that is not there."""
        return UnsupportedError(
            f"The service at {self._endpoint} has no tool {tool!r}, which this call needs; nothing"
            f" was run. The local server has it{reason}",
            tool=tool,
            endpoint=self._endpoint,
        )

    def _ask(self, image: str, tool: str) -> Steps[Mapping[str, Arguments]]:
        try:
            reply = yield from send(tool_calls.list_tools(image))
        except AGBError as error:
            if error.status_code in _NOT_UNDERSTOOD and error.status_code not in _OTHER_REASONS:
                raise self.missing(tool, f" (it refused to list its tools: {error})") from error
            raise
        return {
            each.name: frozenset(as_object(each.input_schema.get("properties")))
            for each in read_tools(reply.data)
        }


@frozen
class Place:
    """A session, and what the service behind it offers.

    Args:
        session_id: The session.
        image_id: Its image, `""` if it is not known.
        offers: What is known of the service.
    """

    session_id: str
    image_id: str
    offers: Offers

    def require(self, tool: str, argument: str = "") -> Steps[None]:
        """Make sure that a tool is there; see `Offers.require`."""
        return self.offers.require(self.image_id, tool, argument)


def is_unknown_tool(tool: str, message: str) -> bool:
    """Tell whether a message says that there is no such tool."""
    says_so = re.search(r"unknown tool|no such tool|tool\b.{0,100}\bnot found", message, re.I)
    return says_so is not None and tool in message
