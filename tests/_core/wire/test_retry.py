"""Which call may be sent again, when, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb import AGBError, APIConnectionError
from agb._core.contexts import context_calls
from agb._core.sessions import session_calls
from agb._core.sessions.params import CreateSessionParams
from agb._core.tools import tool_calls
from agb._core.wire import retry

RUN = tool_calls.tool("s-1", "run_code", {})
SLOW = tool_calls.tool("s-1", "run_code", {}, time_limit_s=300)
READ = tool_calls.tool("s-1", "read_file", {})
LIST = session_calls.list_sessions({}, 10, "")

READING = [
    LIST,
    READ,
    session_calls.get_labels("s-1"),
    session_calls.get_session("s-1"),
    session_calls.get_resource("s-1"),
    session_calls.get_status("s-1"),
    session_calls.get_link("s-1", "https", 30100),
    tool_calls.list_tools("image"),
    context_calls.info("s-1", None, None, None),
    context_calls.list_contexts(10, None),
    context_calls.list_files("c-1", None, 1, 50),
    context_calls.file_download_url("c-1", "/a"),
    tool_calls.tool("s-1", "get_file_info", {}),
    tool_calls.tool("s-1", "list_directory", {}),
    tool_calls.tool("s-1", "read_multiple_files", {}),
    tool_calls.tool("s-1", "search_files", {}),
]
CHANGING = [
    RUN,
    session_calls.create_session(CreateSessionParams()),
    session_calls.release_session("s-1"),
    session_calls.set_labels("s-1", {"a": "b"}),
    session_calls.keep_alive("s-1"),
    context_calls.sync("s-1", None, None, None),
    context_calls.get_context(name="name", context_id=None, create=True, login_region_id=None),
    context_calls.clear_context("c-1"),
    tool_calls.tool("s-1", "shell", {}),
    tool_calls.tool("s-1", "write_file", {}),
    tool_calls.tool("s-1", "edit_file", {}),
    tool_calls.tool("s-1", "move_file", {}),
    tool_calls.tool("s-1", "delete_file", {}),
    tool_calls.tool("s-1", "create_directory", {}),
    tool_calls.tool("s-1", "get_file_change", {}),
    tool_calls.tool("s-1", "a_tool_that_nobody_knows", {}),
]


@pytest.mark.parametrize("call", READING, ids=lambda call: call.name)
def test_calls_that_only_read(call):
    """What is known to only read may be carried out twice."""
    assert retry.only_reads(call) is True


@pytest.mark.parametrize("call", CHANGING, ids=lambda call: call.name)
def test_calls_that_change_something(call):
    """All else may not, nor what is not known."""
    assert retry.only_reads(call) is False


@pytest.mark.parametrize("was_sent", [True, False])
@pytest.mark.parametrize("may_pass", [True, False])
@pytest.mark.parametrize("call", [RUN, READ])
def test_a_lost_call(call, was_sent, may_pass):
    """A lost call may be made again if it was not sent or only reads; else nobody knows."""
    facts = retry.judge_lost(call, was_sent=was_sent, may_pass=may_pass)

    harmless = call is READ or not was_sent
    assert facts["outcome_unknown"] is not harmless
    assert facts["retryable"] is (harmless and may_pass)


@given(
    status=st.integers(100, 599),
    wait=st.none() | st.floats(0, 1e6),
    is_envelope=st.booleans(),
    call=st.sampled_from(READING + CHANGING),
)
def test_no_reply_lets_a_change_happen_twice(status, wait, is_envelope, call):
    """A call is never both retryable and of unknown outcome, nor is a changing one at a guess."""
    facts = retry.judge_reply(call, status, wait, is_envelope=is_envelope)

    assert not (facts["retryable"] and facts["outcome_unknown"])
    if facts["retryable"] and not retry.only_reads(call):
        assert status in (429, 503)
        assert wait is not None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 59.0),
        ("Fri, 31 Dec 1999 23:58:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Fri, 31 Dec 1999 23:59:59", None),
    ],
)
def test_retry_after(header, seconds):
    """`Retry-After` is a number of seconds or a date by the server's own clock."""
    date = "Fri, 31 Dec 1999 23:59:00 GMT"

    assert retry.retry_after({"retry-after": header, "date": date}) == seconds


def test_a_date_without_a_clock():
    """A date says nothing where the reply does not say what time it is."""
    assert retry.retry_after({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}) is None


@given(timeout=st.floats(0.001, 1e4), spent=st.floats(0, 1e4))
def test_the_deadline_leaves_the_service_its_time(timeout, spent):
    """An attempt has what is left of the time-out, or all that the work and its answer need."""
    assert retry.allowance_s(LIST, timeout, spent) == max(0.0, timeout - spent)
    assert retry.allowance_s(SLOW, timeout, spent) == max(310.0, timeout - spent)


@pytest.mark.parametrize(
    ("error", "left", "pause"),
    [
        (AGBError("no", retryable=False), 9.0, False),
        (AGBError("no", retryable=False, retry_after=1.0), 9.0, False),
        (APIConnectionError("lost", retryable=True), 9.0, True),
        (APIConnectionError("lost", retryable=True), 0.0, False),
        (AGBError("busy", retryable=True, retry_after=0.0), 9.0, True),
        (AGBError("busy", retryable=True, retry_after=2.0), 9.0, 2.1),
        (AGBError("busy", retryable=True, retry_after=9.0), 9.0, False),
        (ValueError("ours"), 9.0, False),
    ],
)
def test_the_pause_before_a_retry(error, left, pause):
    """A pause is what the server asked for and a bit, if there is time; else it grows by itself."""
    decided = retry.pause_before_retry(error, left, 0.5)

    assert type(decided) is type(pause)
    assert decided == pytest.approx(pause)


@given(left=st.floats(0, 1e4), max_retries=st.integers(1, 1000))
def test_pauses_leave_time_for_the_attempts(left, max_retries):
    """All pauses together take at most half of the time that is left, each at most two seconds."""
    longest = retry.longest_pause_s(left, max_retries)

    assert longest <= 2.0
    assert longest * max_retries <= left / 2 * 1.001
