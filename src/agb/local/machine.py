"""What this machine can do."""

from __future__ import annotations


class MachineUnfit(Exception):  # noqa: N818 - what it says, not how it is raised
    """This machine cannot run sandboxes; the text names the cause and the exact remedy."""
