"""Commands run by each client."""

import pytest


@pytest.fixture
def facts(facts_of):
    return facts_of("command")


@pytest.mark.parametrize(
    ("fact", "output"),
    [
        ("text", "grüße, 世界\n"),
        ("both_streams", "out\nerr\n"),
        ("no_output", ""),
        ("json_text", '{"a": 1}\n'),
        ("directory", "/tmp\n"),
        ("directory_after", "/home/user\n"),
    ],
)
def test_success(facts, fact, output):
    """The output of a command is what it wrote, JSON too (trap T16); each runs in a fresh shell."""
    assert facts[fact] == [True, output, ""]


def test_an_exit_code(facts):
    """A command that ends with another code than 0 is a failure, and its output is not lost."""
    success, output, message = facts["exit_3"]

    assert success is False
    assert "before\n" in output + message


def test_a_silent_failure(facts):
    """A command that fails without a word is a failure too."""
    success, output, _ = facts["silent_failure"]

    assert (success, output) == (False, "")


def test_a_time_out(facts):
    """A command that takes too long is stopped, and the failure names the limit."""
    success, _, message = facts["times_out"]

    assert success is False
    assert "after 300 ms" in message


def test_a_deleted_session(facts):
    """In a deleted session no command runs, and every client takes that for a failure (trap T1)."""
    success, _, message = facts["deleted_session"]

    assert success is False
    assert "Session not found" in message


def test_a_wrong_key(facts):
    """With a wrong key no command runs, and every client takes that for a failure (trap T1)."""
    assert facts["wrong_key"] is False
