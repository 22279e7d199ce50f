"""What a tool of a session is."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from .arguments import Argument
from .results import Result
from .tool_replies import CallFacts, ToolReply


@attrs.frozen
class OwnLimit:
    """The time limit that a caller sets and the sandbox enforces.

    Attributes:
        argument: The argument that carries it.
        unit_s: Seconds in one unit of it.
        extra_s: Seconds the sandbox may need beyond it, as for starting a language.
    """

    argument: str
    unit_s: float
    extra_s: float = 0.0


@attrs.frozen
class Tool:
    """One tool.

    Attributes:
        name: Its name, on the wire and in the sandbox.
        description: What it does, for people and language models.
        arguments: What it takes.
        reply: Turns the sandbox's answer into the reply.
        limit: The time limit its caller sets, if there is one.
        queue_by: Calls with the same value of this argument run one after the other.
        waits_by: The argument that says how many seconds a call may wait for something to happen.
    """

    name: str
    description: str
    arguments: tuple[Argument, ...]
    reply: Callable[[Result, CallFacts], ToolReply]
    limit: OwnLimit | None = None
    queue_by: str | None = None
    waits_by: str | None = None

    def input_schema(self) -> dict[str, object]:
        """Describe the arguments.

        Returns:
            A JSON schema.
        """
        properties = {
            argument.name: argument.schema
            if argument.default is None
            else {**argument.schema, "default": argument.default}
            for argument in self.arguments
        }
        required = [argument.name for argument in self.arguments if argument.required]
        return {"type": "object", "properties": properties, "required": required}
