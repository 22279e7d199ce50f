"""What can go wrong below HTTP, whose failures are of `http.envelope`.

MachineUnfit          this machine can't run sandboxes at all
SandboxError          the sandbox could not do it at all
└── SandboxGone       … and never will: it has ended
ToolError             the sandbox works, the tool said no

`sessions` and `contexts` have failures of their own.
"""

from __future__ import annotations


class MachineUnfit(Exception):
    """This machine cannot run sandboxes; the text names the cause and the exact remedy."""


class SandboxError(Exception):
    """The sandbox could not do it at all; the text is safe to show."""


class SandboxGone(SandboxError):
    """The sandbox has ended; says why if that is known."""


class ToolError(Exception):
    """The tool said no: a message for the user.

    Attributes:
        detail: Further facts, such as the output until then; often empty.
    """

    def __init__(self, message: str, detail: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.detail: dict[str, object] = detail or {}
