"""Running code."""

from __future__ import annotations

import json

import pytest

from agb import (
    CodeExecutionResult,
    CommandError,
    EnhancedCodeExecutionResult,
    ExecutionError,
    InvalidArgumentError,
)

FAILED = {
    "result": [],
    "stdout": ["before\n"],
    "stderr": ["Traceback ..."],
    "executionError": "ZeroDivisionError: division by zero",
}


def test_code_runs(session, service):
    """S54: run_code takes code and language by position and gives the output."""
    service.on("run_code", service.tool("Hello World\n"))

    result = session.code.run_code("print('Hello World')", "python")

    assert isinstance(result, CodeExecutionResult)
    assert (result.success, result.request_id, result.error_message) == (True, "R", "")
    assert "Hello World" in result.result
    assert service.body()["sessionId"] == "s-1"
    assert service.arguments() == {
        "code": "print('Hello World')",
        "language": "python",
        "timeout_s": 300,
    }


def test_run_is_the_later_name(session, service):
    """The later name runs code the same way, for at most 60 seconds by default."""
    service.on("run_code", service.tool("1"))

    result = session.code.run("1", "python")

    assert type(result) is EnhancedCodeExecutionResult
    assert service.arguments()["timeout_s"] == 60


def test_failing_code_is_a_failed_result(session, service):
    """S57: failing code gives a failed result whose output and message can be read."""
    service.on("run_code", service.tool(json.dumps(FAILED)))

    result = session.code.run_code("print('before'); 1 / 0", "python")

    assert result.success is False
    assert result.result == "before\n"
    assert result.error_message == "ZeroDivisionError: division by zero"
    assert result.error == ExecutionError("ZeroDivisionError", "division by zero", "Traceback ...")
    assert type(result.exception) is CommandError


def test_failing_code_does_not_raise(session, service):
    """S58: in the documented try form, failing code reaches `else` and not `except`."""
    service.on("run_code", service.tool("division by zero", is_error=True))
    try:
        result = session.code.run_code("1 / 0", "python")
        branch = "if" if result.success else "else"
    except Exception:
        branch = "except"

    assert branch == "else"
    assert result.error_message == "division by zero"


@pytest.mark.parametrize(
    ("language", "sent"),
    [
        ("python", "python"),
        ("javascript", "javascript"),
        ("java", "java"),
        ("r", "r"),
        ("Python", "python"),
        (" JS ", "javascript"),
        ("node", "javascript"),
        ("py", "python"),
    ],
)
def test_languages_are_known(language, sent, session, service):
    """S59: Python, JavaScript, Java and R are languages, in any case and by their short names."""
    service.on("run_code", service.tool("ok"))

    result = session.code.run_code("1", language)

    assert result.success is True
    assert service.arguments()["language"] == sent


@pytest.mark.parametrize("language", ["cobol", "", None, 5])
def test_other_languages_are_refused(language, session, service):
    """A language that is not known fails without a request and names those that are."""
    result = session.code.run_code("1", language)

    assert (result.success, result.request_id, result.result) == (False, "", "")
    assert "Unsupported language" in result.error_message
    assert "python, javascript, java, r" in result.error_message
    assert service.requests == []


@pytest.mark.parametrize("code", ["", " ", None, 5])
def test_code_must_be_there(code, session, service):
    """Blank code, or what is no text, fails without a request."""
    result = session.code.run_code(code, "python")

    assert type(result.exception) is InvalidArgumentError
    assert service.requests == []


@pytest.mark.parametrize("timeout_s", [0, -1, "5", None, float("nan")])
def test_a_bad_time_limit_is_refused(timeout_s, session, service):
    """A time limit that is no positive number fails without a request."""
    result = session.code.run_code("1", "python", timeout_s)

    assert "timeout_s" in result.error_message
    assert service.requests == []
