"""Code run by each client."""

import pytest


@pytest.fixture
def facts(facts_of):
    return facts_of("code")


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_output(facts, language):
    """What a cell prints is its result."""
    assert facts[language] == [True, "grüße, 世界\n", ""]


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_no_output(facts, language):
    """A cell that prints nothing succeeds with an empty result (trap T17)."""
    assert facts[f"{language}_assigns"] == [True, "", ""]


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_variables(facts, language):
    """Variables live from cell to cell, and the value of the last line is the result."""
    assert facts[f"{language}_keeps"] == [True, "42", ""]


def test_a_python_error(facts):
    """A cell that fails is a failure with its error, and what it printed before is not lost."""
    success, result, message = facts["python_fails"]

    assert success is False
    assert "ZeroDivisionError: division by zero" in message
    assert "before\n" in result + message


def test_a_javascript_error(facts):
    """A cell that throws is a failure with its error."""
    success, _, message = facts["javascript_fails"]

    assert success is False
    assert "Error: on purpose" in message


def test_a_time_out(facts):
    """An endless cell fails at its limit, and the variables are still there."""
    success, _, message = facts["python_times_out"]

    assert success is False
    assert "longer than 1 s" in message
    assert facts["python_goes_on"] == [True, "6\n", ""]


def test_printed_json_is_text(facts):
    """A program that prints JSON gets it back as it was printed (trap T16)."""
    assert facts["json_text"] == [True, '{"a": 1}\n', ""]


def test_an_unknown_language(facts):
    """A language that is not offered is a failure that names it."""
    success, result, message = facts["unknown_language"]

    assert (success, result) == (False, "")
    assert "ruby" in message


def test_a_deleted_session(facts):
    """In a deleted session no code runs, and every client takes that for a failure (trap T1)."""
    success, _, message = facts["deleted_session"]

    assert success is False
    assert "Session not found" in message
