"""Sessions: created, found, listed, labelled, described and deleted by each client."""

import pytest


@pytest.fixture
def facts(facts_of):
    return facts_of("sessions")


def test_a_session_is_created(facts):
    """Creation succeeds, with a request id, without an error, with the image asked for."""
    assert facts["create"] == [True, "", True]
    assert facts["image"] == "agb-code-space-1"


def test_a_session_is_found_by_its_id(facts):
    """`get` gives the session; for an unknown id a failure that names it."""
    success, session, message = facts["get_unknown"]

    assert facts["get"] == [True, facts["id"]]
    assert (success, session) == (False, None)
    assert "session-of-nobody" in message


def test_information(facts):
    """`info` tells the id, and nothing of a desktop, which there is not."""
    assert facts["info"] == [True, facts["id"], False]


def test_link(facts):
    """`get_link` gives an address of this machine."""
    success, address = facts["link"]

    assert success is True
    assert address.startswith("http://127.0.0.1:")


def test_labels(facts):
    """Labels of creation can be read and replaced; a refused set changes nothing."""
    assert facts["labels_of_create"] is True
    assert facts["set_labels"] is True
    assert facts["refused_labels"] is False
    assert facts["labels_after"] is True


def test_pages(facts):
    """Three sessions are two pages of two; the third page is a failure that keeps the total."""
    ids = facts["ids"]
    first, second, third = facts["pages"]

    assert first[0] is second[0] is True
    assert [len(first[1]), len(second[1])] == [2, 1]
    assert sorted(first[1] + second[1]) == sorted(ids)
    assert third == [False, [], 3]
    assert first[2] == second[2] == 3


def test_a_list_by_labels(facts):
    """A session is listed if it has all the labels; none that match is no failure."""
    assert facts["both_labels"] == facts["ids"][:1]
    assert facts["no_match"] == [True, []]


def test_deletion(facts):
    """A session is deleted once, by itself, by the client or with its contexts; then it is gone."""
    assert facts["delete"] == [True, True]
    assert facts["delete_synced"] is True
    assert facts["delete_twice"] is False
    assert facts["info_of_deleted"] is False
    assert facts["list_of_deleted"] == []


def test_a_wrong_key(facts):
    """Without the right key nothing succeeds."""
    assert facts["wrong_key"] == [False, None, True]
    assert facts["info_with_wrong_key"] is False
