"""Watching without colour: what follows from the answer to each poll."""

import json
import logging
import math
import threading

import pytest

from agb._core.exceptions import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    InvalidArgumentError,
    LocalServerError,
    SessionNotFoundError,
)
from agb._core.files import watching
from agb._core.files.change_results import FileChangeEvent
from agb._core.files.watching import Polling

from ..scripted import DEAD_SESSION, play, tool_failure, tool_text

NEW = FileChangeEvent("create", "/w/new", "file")
CHANGED = tool_text(json.dumps([NEW.to_dict()]))
QUIET = tool_text("[]")
MISSING = tool_failure("No such directory: '/w'")


def polled(polling, *script):
    """Poll once for each answer; return what was to be handed over each time."""
    return [play(polling.poll(), answer).result for answer in script]


@pytest.mark.parametrize(
    ("script", "given"),
    [
        ([QUIET], [[]]),
        ([CHANGED], [[]]),
        ([QUIET, CHANGED], [[], [NEW]]),
        ([CHANGED, CHANGED, QUIET, CHANGED], [[], [NEW], [], [NEW]]),
        ([MISSING, CHANGED, CHANGED], [[], [], [NEW]]),
        ([QUIET, MISSING, CHANGED], [[], [], [NEW]]),
        ([QUIET, tool_text("nonsense"), CHANGED], [[], [], [NEW]]),
    ],
)
def test_what_is_handed_over(script, given):
    """The first answer only sets the point to compare with; failed and quiet polls give nothing."""
    assert polled(Polling("s-1", "/w", 1), *script) == given


def test_what_is_asked():
    """Each poll is one call of the tool that tells changes."""
    played = play(Polling("s-1", "/w", 1).poll(), QUIET)

    assert [call.name for call in played.calls] == ["get_file_change"]
    assert played.arguments == [{"path": "/w"}]


@pytest.mark.parametrize(
    ("script", "is_ready"),
    [([], False), ([QUIET], True), ([MISSING], False), ([MISSING, QUIET], True)],
)
def test_when_it_is_ready(script, is_ready):
    """It is ready with the first poll that succeeds."""
    polling = Polling("s-1", "/w", 1)

    polled(polling, *script)

    assert polling.is_ready is is_ready
    assert polling.is_over is False


@pytest.mark.parametrize(
    ("interval", "script", "pauses"),
    [
        (1, [], [0]),
        (1, [QUIET, CHANGED], [0, 1, 1]),
        (1, [MISSING] * 6, [0, 2, 4, 8, 16, 30, 30]),
        (1, [MISSING, MISSING, QUIET, MISSING], [0, 2, 4, 1, 2]),
        (0.01, [QUIET, MISSING, MISSING], [0, 0.01, 0.02, 0.04]),
        (45, [QUIET, MISSING, MISSING], [0, 45, 45, 45]),
        (1, [APIError("busy", retry_after=12.0), MISSING], [0, 12, 4]),
        (1, [APIError("busy", retry_after=0.5)], [0, 2]),
        (1, [APIError("busy", retry_after=math.inf)], [0, 3600]),
    ],
)
def test_pauses(interval, script, pauses):
    """Polls come at the interval; those that fail grow apart, and a server may ask for more."""
    polling = Polling("s-1", "/w", interval)
    found = [polling.pause_s]

    for answer in script:
        polled(polling, answer)
        found.append(polling.pause_s)

    assert found == pauses


def test_failures_for_a_long_time():
    """However often polls fail, the pause stays what can be waited for."""
    polling = Polling("s-1", "/w", 1)

    polled(polling, *[MISSING] * 2000)

    assert polling.pause_s == 30


@pytest.mark.parametrize(
    ("answer", "is_over"),
    [
        (DEAD_SESSION, True),
        (SessionNotFoundError("gone"), True),
        (LocalServerError("ended"), True),
        (APIConnectionError("refused"), False),
        (AuthenticationError("bad key"), False),
        (MISSING, False),
    ],
)
def test_what_ends_it(answer, is_over):
    """It is over when the session is gone; anything else may pass."""
    polling = Polling("s-1", "/w", 1)

    given = polled(polling, QUIET, answer)

    assert given == [[], []]
    assert polling.is_over is is_over


def test_a_failed_poll_is_logged(caplog):
    """A failed poll, which has no result, is a warning with its reason and what comes next."""
    with caplog.at_level(logging.INFO, "agb"):
        polled(Polling("s-1", "/w", 1), MISSING)

    assert caplog.record_tuples == [
        (
            "agb",
            logging.WARNING,
            "A watcher in session s-1 polls again in 2 s: FileError: No such directory: '/w'",
        )
    ]


def test_the_end_is_logged(caplog):
    """The end of watching is no warning: most sessions end on purpose."""
    with caplog.at_level(logging.INFO, "agb"):
        polled(Polling("s-1", "/w", 1), DEAD_SESSION)

    assert caplog.record_tuples == [
        ("agb", logging.INFO, "Watching in session s-1 has ended: Session not found")
    ]


@pytest.mark.parametrize("path", ["", "  ", None, 5, "a\0b", "\ud800"])
def test_path_is_checked(path):
    """What can't be a path is refused at once."""
    with pytest.raises(InvalidArgumentError, match=r"^path "):
        Polling("s-1", path, 1)


@pytest.mark.parametrize("interval", [0, -1, math.nan, math.inf, "1", None, True])
def test_interval_is_checked(interval):
    """An interval that can't be waited for, or is none, is refused at once."""
    with pytest.raises(InvalidArgumentError, match=r"^interval "):
        Polling("s-1", "/w", interval)


def test_callback_is_checked():
    """A callback is anything that can be called."""
    watching.check_callback(print)

    with pytest.raises(InvalidArgumentError, match=r"^callback must be a function"):
        watching.check_callback("print")


def test_stop_event_is_checked():
    """An event is of the right colour, or left out."""
    watching.check_stop_event(None, threading.Event)
    watching.check_stop_event(threading.Event(), threading.Event)

    with pytest.raises(InvalidArgumentError, match=r"^stop_event must be a threading.Event"):
        watching.check_stop_event(object(), threading.Event)
