"""What a caller hands in when a session is created."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field


def _copied(labels: Mapping[str, str] | None) -> dict[str, str]:
    # What is no mapping is kept as it is: `create` names the rule that it breaks.
    return dict(labels) if isinstance(labels, Mapping) else labels or {}


@define
class CreateSessionParams:
    """Say what kind of session to create.

    Args:
        labels: Labels of the session, checked by the label rules when the session is created;
            None and `{}` mean no labels. Stored as a copy.
        image_id: Id of the image to start, such as `agb-code-space-1`; None leaves the choice to
            the service.

    Example:
        >>> from agb import CreateSessionParams
        >>> CreateSessionParams(image_id="agb-code-space-1", labels={"project": "demo"})
        CreateSessionParams(labels={'project': 'demo'}, image_id='agb-code-space-1')
    """

    __module__ = "agb"

    labels: dict[str, str] = field(default=None, converter=_copied)
    image_id: str | None = None
