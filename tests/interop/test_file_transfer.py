"""Whole files up and down, by each client that has them."""

import pytest

SIZE = 3_000_000


@pytest.fixture
def facts(facts_of):
    return facts_of("file_transfer")


@pytest.mark.parametrize("place", ["home", "deep", "again"])
def test_a_file_goes_there_and_back(facts, place):
    """A file is the same when it comes back, wherever the session can write."""
    assert facts[place] == [True, 200, SIZE, True, SIZE, True]


def test_an_empty_file(facts):
    """An empty file is one, too."""
    assert facts["empty"] == [True, 200, 0, True, 0, True]


def test_what_the_client_is_told(facts):
    """The directory for transfers, and the checksum of what arrived."""
    assert facts["path"] == "/home/user"
    assert facts["tag"] is True


def test_without_waiting(facts):
    """An upload that is not waited for is there as well."""
    assert facts["unwaited"] is True
    assert facts["size"] == str(SIZE)


def test_refusals(facts):
    """What the session can't write or does not have is a failure, and nothing is left here."""
    assert facts["read_only"] == [False, 409]
    assert facts["missing"] == [False, False]
    assert facts["not_overwritten"] is False


def test_a_link_stays_in_the_session(facts):
    """A link leads to the session's own files."""
    assert facts["link"] is True
