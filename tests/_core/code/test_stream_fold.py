"""How the frames of a stream add up to events and a result (wire-protocol 2.5, trap T28)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.code import stream_events, stream_fold
from agb._core.code.operations import shown
from agb._core.code.results import (
    EnhancedCodeExecutionResult,
    ExecutionError,
    ExecutionLogs,
    ExecutionResult,
)
from agb._core.code.stream_events import (
    EndEvent,
    ErrorEvent,
    ResultEvent,
    StderrEvent,
    StdoutEvent,
    content,
)
from agb._core.code.stream_fold import StreamFold
from agb._core.exceptions import (
    APIConnectionError,
    APIError,
    CommandError,
    CommandTimeoutError,
    InvalidArgumentError,
    SessionNotFoundError,
)

END = {"phase": "end", "status": "finished", "executionCount": 3, "executionTime": 0.5}


def frame(data, **envelope):
    return json.dumps(
        {"invocationId": "i", "source": "s", "target": "SDK", "data": data} | envelope
    )


def event(kind, **fields):
    return {"phase": "event", "seq": 1, "eventType": kind, **fields}


def folded(*data):
    """The events of these frames of one stream, and its result."""
    fold = StreamFold("i")
    events = [event for each in data for event in fold.feed(frame(each))]
    return events, fold.outcome()


def test_a_stream_from_its_beginning_to_its_end():
    """Output, what was shown and the end become events in order, and add up to the result."""
    events, result = folded(
        event("stdout", chunk="a\n"),
        event("stderr", chunk="b"),
        event("stdout", chunk="c"),
        event("result", result={"isMainResult": False, "mime": {"text/html": "<b>"}}),
        event("result", result={"isMainResult": True, "mime": {"text/plain": "42"}}),
        END,
    )

    html = ExecutionResult(html="<b>")
    value = ExecutionResult(text="42", is_main_result=True)
    assert result == EnhancedCodeExecutionResult(
        request_id="i",
        execution_count=3,
        execution_time=0.5,
        logs=ExecutionLogs(["a\nc"], ["b"]),
        results=[html, value],
    )
    assert events == [
        StdoutEvent("a\n"),
        StderrEvent("b"),
        StdoutEvent("c"),
        ResultEvent(html),
        ResultEvent(value),
        EndEvent(result),
    ]
    assert [content(each) for each in events] == ["a\n", "b", "c", html, value, result]


def test_t28_code_that_fails():
    """T28: an error event is told at once; the end completes the failed result."""
    told = {"code": "ExecutionError", "message": "KeyError: 'x'", "traceId": "t"}
    events, result = folded(
        event("stdout", chunk="before"),
        event("stderr", chunk="Traceback"),
        event("error", error=told),
        {**END, "status": "failed", "executionError": "KeyError: 'x'"},
    )

    error = ExecutionError("KeyError", "'x'", "Traceback")
    assert events[2:] == [ErrorEvent(error), EndEvent(result)]
    assert (result.success, result.error_message, result.error) == (False, "KeyError: 'x'", error)
    assert (result.execution_count, result.result) == (3, "before")
    assert type(result.exception) is CommandError
    assert result.exception.code == "ExecutionError"
    assert result.exception.request_id == "i"


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ("E: why", ExecutionError("E", "why")),
        ("a.b.E: why: so", ExecutionError("a.b.E", "why: so")),
        ("KeyboardInterrupt", ExecutionError("KeyboardInterrupt", "")),
        ("it broke: why", ExecutionError("Error", "it broke: why")),
        ('{"message": "E: why"}', ExecutionError("E", "why")),
        ({"name": "E", "value": "why"}, ExecutionError("E", "why")),
        ({"code": "Broken", "message": "it is so"}, ExecutionError("Broken", "it is so")),
        ({"code": "Broken"}, ExecutionError("Broken", "")),
        ({"message": 5}, ExecutionError("Error", "The code failed without a message")),
        ([], ExecutionError("Error", "The code failed without a message")),
        (None, ExecutionError("Error", "The code failed without a message")),
    ],
)
@pytest.mark.parametrize("place", ["an event", "the end"])
def test_t28_the_forms_of_an_error(told, error, place):
    """T28: an error is read as text, as JSON text and as an object, wherever it stands."""
    if place == "an event":
        events, result = folded(event("error", error=told), END)
    else:
        events, result = folded({**END, "status": "failed", "executionError": told})

    assert events == [ErrorEvent(error), EndEvent(result)]
    assert not result.success
    assert result.error == error
    assert result.error_message
    assert isinstance(result.exception, CommandError)


def test_a_failure_without_a_word():
    """An end that only says "failed" takes its reason from standard error."""
    _, result = folded(event("stderr", chunk=" why \n"), {"phase": "end", "status": "failed"})

    assert result.error_message == "why"
    assert (result.execution_count, result.execution_time) == (None, 0.0)


def test_an_error_at_the_end_beside_a_good_status():
    """A text in `error` of the last frame is a failure that keeps what else that frame says."""
    _, result = folded({**END, "error": "it broke"})

    assert (result.success, result.error_message) == (False, "it broke")
    assert result.execution_count == 3


def test_the_first_of_several_errors_counts():
    """Each error is an event; the result has the first."""
    events, result = folded(
        event("error", error={"message": "A: 1"}), event("error", error={"message": "B: 2"}), END
    )

    assert [each.error.name for each in events[:2]] == ["A", "B"]
    assert (result.error.name, result.error_message) == ("A", "A: 1")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TimeoutError", CommandTimeoutError),
        ("InvalidSession.NotFound", SessionNotFoundError),
        ("SandboxGone", CommandError),
    ],
)
def test_the_type_of_a_failure(code, kind):
    """A time limit and a session that is gone have types of their own."""
    _, result = folded(event("error", error={"code": code, "message": "so it is"}), END)

    assert type(result.exception) is kind
    assert result.exception.code == code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ({"isMainResult": True, "mime": {"text/plain": "x"}}, "x"),
        ({"text/plain": "x"}, "x"),
        ({"isMainResult": True, "mime": {}}, None),
        (5, "5"),
    ],
)
def test_the_forms_of_a_result(value, text):
    """What was shown is read from an object by format and from plain text."""
    events, result = folded(event("result", result=value), END)

    assert events[0].result.text == text
    assert result.results == [events[0].result]


@pytest.mark.parametrize(
    "data",
    [
        event("stdout"),
        event("stdout", chunk=5),
        event("stdout", chunk=["a"]),
        event("stderr", chunk=None),
        event("stderr", chunk=""),
        event("progress", chunk="x"),
        event(None),
        event(["stdout"], chunk="x"),
    ],
)
def test_events_that_say_nothing(data):
    """Chunks that are no text and kinds of a later service are left aside."""
    events, result = folded(data, END)

    assert events == [EndEvent(result)]
    assert result.success


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "[]", "5", "{", "[" * 100_000),
        *map(frame, (None, "text", {"phase": "begin"}, {"phase": 5}, {})),
    ],
)
def test_frames_that_are_none(text):
    """What is no frame, or has no phase that is known, ends the stream with its beginning."""
    fold = StreamFold("i")
    events = fold.feed(text)

    assert [type(each) for each in events] == [ErrorEvent, EndEvent]
    assert events[0].error.name == "APIError"
    assert type(fold.outcome().exception) is APIError
    assert fold.outcome().exception.outcome_unknown
    assert fold.outcome().error is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"phase": "error", "error": "no such tool"}, "no such tool"),
        ({"phase": "error", "error": {"code": "C", "message": "no such tool"}}, "no such tool"),
        ({"phase": "error", "message": "no such tool"}, "no such tool"),
        ({"phase": "error", "detail": 1}, "The stream failed: "),
    ],
)
def test_a_stream_that_is_refused(data, message):
    """The phase "error" ends a stream, with whatever it says."""
    events, result = folded(event("stdout", chunk="a"), data)

    assert [type(each) for each in events] == [StdoutEvent, ErrorEvent, EndEvent]
    assert result.error_message.startswith(message)
    assert isinstance(result.exception, CommandError)
    assert result.request_id == "i"


def test_frames_of_others():
    """Frames of other streams, and what a service says without being asked, are left aside."""
    fold = StreamFold("i")
    for other in ({"invocationId": "j"}, {"invocationId": None}, {"invocationId": ["i"]}):
        assert fold.feed(frame({"phase": "nonsense"}, **other)) == []

    assert fold.feed('{"target": "SDK", "data": {}}') == []
    assert fold.result is None


def test_the_other_name_of_a_stream_and_data_as_text():
    """A frame may name its stream by `requestId` and carry its data as JSON text."""
    fold = StreamFold("i")
    text = json.dumps({"requestId": "i", "data": json.dumps(event("stdout", chunk="a"))})

    assert fold.feed(text) == [StdoutEvent("a")]


def test_nothing_comes_after_the_end():
    """Frames after the end change nothing."""
    fold = StreamFold("i")
    (end,) = fold.feed(frame(END))

    assert fold.feed(frame(event("stdout", chunk="late"))) == []
    assert fold.outcome() is end.result


def test_a_connection_that_breaks():
    """A stream that breaks keeps what was told until then, and says why."""
    fold = StreamFold("i")
    fold.feed(frame(event("stdout", chunk="a")))
    error = APIConnectionError("it broke", outcome_unknown=True)
    events = fold.fail(error)

    assert events[0] == ErrorEvent(ExecutionError("APIConnectionError", "it broke"))
    result = events[1].result
    assert (result.success, result.error_message, result.error) == (False, "it broke", None)
    assert result.exception is error
    assert result.result == "a"
    assert result.request_id == "i"


def test_a_connection_that_breaks_after_an_error():
    """The error of the code is told once, and stays in the result."""
    fold = StreamFold("i")
    fold.feed(frame(event("error", error={"message": "E: why"})))
    (end,) = fold.fail(APIConnectionError("it broke"))

    assert end.result.error == ExecutionError("E", "why")
    assert end.result.error_message == "it broke"


def test_a_stream_that_never_began():
    """Without an answer the result has the request id of the refusal, if there is one."""
    fold = StreamFold("i")
    fold.fail(APIError("no", request_id="R"))
    other = StreamFold("i")
    other.fail(APIError("no"))

    assert (fold.outcome().request_id, other.outcome().request_id) == ("R", "")


def test_a_stream_that_was_left():
    """Before its end a stream has a failed result with what was told until then."""
    fold = StreamFold("i")
    fold.feed(frame(event("stdout", chunk="a")))
    result = fold.outcome()

    assert not result.success
    assert "has not ended" in result.error_message
    assert result.logs.stdout == ["a"]
    assert result.exception.outcome_unknown


def test_an_endless_output_is_kept_in_part(monkeypatch):
    """The result keeps the beginning of an output and of what was shown; events are complete."""
    monkeypatch.setattr(stream_fold, "_KEPT", 5)
    monkeypatch.setattr(stream_fold, "_KEPT_RESULTS", 150)
    item = event("result", result="shown")
    chunks = [event("stdout", chunk="abc")] * 3
    events, result = folded(*chunks, event("stderr", chunk="12345"), item, item, END)

    assert [each.text for each in events[:3]] == ["abc"] * 3
    assert result.logs.stdout == ["abcab\n[output truncated: 4 more characters]\n"]
    assert result.logs.stderr == ["12345"]
    assert result.results == [shown("shown")]
    assert len([each for each in events if isinstance(each, ResultEvent)]) == 2


CHUNKS = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.text()))


@given(CHUNKS)
def test_output_is_the_same_however_it_is_cut(chunks):
    """Output adds up to the same text in the events and in the result, wherever it was cut."""
    events, result = folded(*(event(kind, chunk=chunk) for kind, chunk in chunks), END)

    for kind, class_, logs in (
        ("stdout", StdoutEvent, result.logs.stdout),
        ("stderr", StderrEvent, result.logs.stderr),
    ):
        sent = "".join(chunk for each, chunk in chunks if each == kind)
        sent = sent.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        assert "".join(logs) == sent
        assert "".join(each.text for each in events if type(each) is class_) == sent


FIELDS = [
    *("phase", "eventType", "chunk", "result", "error", "mime", "status", "executionError"),
    *("invocationId", "data", "executionCount", "executionTime", "message", "code"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            children
            | st.sampled_from(["event", "end", "error", "stdout", "result", "i", "failed"]),
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON), JSON)
def test_whatever_comes(frames, data):
    """No frame breaks the fold, and a stream ends once, with a result that says how."""
    fold = StreamFold("i")
    events = [event for each in frames for event in fold.feed(json.dumps(each))]
    events += fold.feed(frame(data))
    if fold.result is None:
        events += fold.fail(APIConnectionError("over"))

    assert [type(each) for each in events].count(EndEvent) == 1
    assert isinstance(events[-1], EndEvent)
    assert events[-1].result.success is (events[-1].result.exception is None)
    assert repr(events)


def test_callbacks_and_what_they_take():
    """Each callback that is given takes the events of its name."""
    listeners = stream_events.listeners(print, None, len, repr)

    assert listeners == {StdoutEvent: print, ErrorEvent: len, ResultEvent: repr}


def test_a_callback_that_is_none():
    """What can't be called is named."""
    with pytest.raises(InvalidArgumentError, match="on_stderr must be callable or None"):
        stream_events.listeners(None, "print", None, None)
