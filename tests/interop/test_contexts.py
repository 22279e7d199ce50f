"""Contexts: made, filled by addresses and by sessions, cleared and deleted by each client."""

import pytest

from .conftest import RELEASE


@pytest.fixture
def facts(facts_of):
    return facts_of("contexts")


def test_contexts_themselves(facts):
    """A context is made, found by its name, listed, renamed and deleted."""
    assert facts["create"] == [True, True, True]
    assert facts["get"] == facts["list"] == [True, True]
    assert facts["get_unknown"] is False
    assert facts["get_or_create"] is True
    assert facts["update"] is facts["renamed"] is True
    assert facts["delete"] is True
    assert facts["get_deleted"] is False


def test_files_by_signed_addresses(facts):
    """A file goes into a context and comes out of it by addresses that need no key."""
    assert facts["upload"] == [True, 200]
    assert facts["download"] == [True, 200, "kept: Grüße, 世界\n"]
    assert facts["files"] == [True, [["sent ü.txt", 22]]]


def test_files_in_a_session(facts):
    """The files of a context are there when a session begins, and its own are saved by a sync."""
    assert facts["brought"] is True
    assert facts["info"] == [True, True]
    assert facts["write"] is facts["sync"] is True
    assert facts["saved"] == ["made.txt", "sent ü.txt"]


def test_files_survive_their_session(facts):
    """What a session saved is there in the next, also what its deletion saved."""
    assert facts["write_more"] is facts["delete_synced"] is True
    assert facts["survived"] == [True, True]
    assert facts["delete_session"] is True


def test_files_are_deleted(facts):
    """A file of a context is deleted alone; the others stay."""
    assert facts["delete_file"] is True
    assert facts["left"] == ["later.txt", "sent ü.txt"]


@pytest.mark.skipif(RELEASE < (0, 5), reason="0.5 brought clear")
def test_clearing(facts):
    """A cleared context is available and has no files."""
    assert facts["clear"] == [True, "available"]
    assert facts["empty"] is True
