"""What `run_code` takes, and what it refuses without a request."""

import pytest

from agb._core.code import operations as code
from agb._core.exceptions import CommandError, InvalidArgumentError, SessionNotFoundError

from ..scripted import DEAD_SESSION, Answer, assert_refused, play, tool_failure, tool_text


def run(source="1", language="python", timeout_s=300):
    return code.run("s-1", source, language, timeout_s)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("python", "python"),
        ("javascript", "javascript"),
        ("java", "java"),
        ("r", "r"),
        ("PYTHON", "python"),
        ("JavaScript", "javascript"),
        ("R", "r"),
        ("py", "python"),
        ("Python3", "python"),
        ("js", "javascript"),
        ("node", "javascript"),
        ("NodeJS", "javascript"),
        ("  python\n", "python"),
    ],
)
def test_language_is_sent_in_its_lower_case_form(given, sent):
    """Four languages and five aliases are known, in any case, with blanks around them."""
    assert play(run(language=given), tool_text("")).arguments[0]["language"] == sent


@pytest.mark.parametrize("language", ["cobol", "", " ", None, 5, b"python", ["python"], "py thon"])
def test_other_languages_are_refused(language):
    """Another language fails without a request and names the four."""
    played = play(run(language=language))

    assert_refused(played, "Unsupported language", "python", "javascript", "java", "r")
    assert played.result.result == ""
    assert isinstance(played.result.exception, InvalidArgumentError)


@pytest.mark.parametrize("source", [None, "", " \n", 5, b"1", ["1"], "\ud800"])
def test_code_must_be_text(source):
    """Code that is no text, or blank, fails without a request."""
    assert_refused(play(run(source)), "code")


@pytest.mark.parametrize(
    "timeout_s",
    [
        0,
        -1,
        True,
        None,
        "5",
        float("inf"),
        float("nan"),
        float("-inf"),
        1e300,
        2000001,
        pytest.param(10**400, id="no-float"),
        pytest.param(10**5000, id="unprintable"),
    ],
)
def test_timeout_must_be_a_positive_number(timeout_s):
    """A time-out that can't be waited for fails without a request."""
    assert_refused(play(run(timeout_s=timeout_s)), "timeout_s must be a positive number")


@pytest.mark.parametrize(("given", "sent"), [(300, 300), (60, 60), (0.2, 1), (1.5, 2), (2.0, 2)])
def test_timeout_is_sent_in_whole_seconds_rounded_up(given, sent):
    """The protocol takes whole seconds; a fraction is rounded up, never to 0 (D9)."""
    played = play(run(timeout_s=given), tool_text(""))

    assert played.arguments[0]["timeout_s"] == sent
    assert type(played.arguments[0]["timeout_s"]) is int
    assert played.calls[0].time_limit_s == sent


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (tool_failure("why"), "why"),
        (tool_failure(""), "The code failed without a message"),
        (Answer({"success": False, "message": "bad key"}, 401), "bad key"),
        (Answer({"success": False, "message": "no", "data": {"content": []}}), "no"),
        (Answer(b"oops", 500), "HTTP 500"),
    ],
)
def test_failure_of_any_kind_is_a_failed_result(answer, message):
    """A tool error, an HTTP error and an API failure are failed results with readable text (D1)."""
    result = play(run(), answer).result

    assert result.success is False
    assert message in result.error_message
    assert result.result == ""


def test_tool_error_is_a_command_error():
    """Code that failed is a `CommandError`; a session that is gone is not."""
    failed = play(run(), tool_failure("why")).result
    lost = play(run(), DEAD_SESSION).result

    assert type(failed.exception) is CommandError
    assert failed.exception.request_id == failed.request_id == "R"
    assert type(lost.exception) is SessionNotFoundError
    assert lost.error_message == "Session not found"
