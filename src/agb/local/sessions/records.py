"""What is known of a session, apart from its sandbox."""

from __future__ import annotations

import secrets
import time
from enum import Enum

import attrs


class ReplyForm(Enum):
    """How the replies of `run_code` and `shell` are written, chosen once per session."""

    PLAIN = "plain"
    STRUCTURED = "structured"


class Status(Enum):
    """Where a session is in its life, in the words of the wire."""

    RUNNING = "RUNNING"
    DELETING = "DELETING"
    FAILED = "FAILED"


@attrs.frozen
class SessionRecord:
    """What is known of a session, apart from its sandbox.

    Attributes:
        id: Its identifier.
        image_id: The image it was asked for, or "".
        reply_form: How its tool replies are written.
        status: Where it is in its life.
        token: Who knows it may stream in this session, and nothing else.
        workspace: By what its files are found again; "" if they end with its sandbox.
        created_s: When it was created, in seconds since 1970.
        idle_timeout_s: How long it lives without a call, in seconds; None means for ever.
        mounts: Its contexts, as `contexts.mounts.write_down` writes them.
        arrived: Whether the files of its contexts are all there.
    """

    id: str
    image_id: str
    reply_form: ReplyForm
    status: Status = Status.RUNNING
    token: str = attrs.field(factory=secrets.token_urlsafe, repr=False)
    workspace: str = ""
    created_s: float = attrs.field(factory=time.time)
    idle_timeout_s: int | None = None
    mounts: str = "[]"
    arrived: bool = True


@attrs.frozen
class Page:
    """One page of a list of sessions.

    Attributes:
        records: The sessions on it, oldest first.
        next_token: Where the next page begins, or None on the last one.
        total: How many sessions match, on all pages together.
    """

    records: list[SessionRecord]
    next_token: str | None
    total: int
