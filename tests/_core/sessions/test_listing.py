"""Pages of sessions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.exceptions import InvalidArgumentError
from agb._core.sessions import listing

from ..scripted import FAILURE, assert_refused, envelope, play


def page(*ids, token="", **siblings):
    return envelope([{"sessionId": id_} for id_ in ids], nextToken=token, **siblings)


def test_first_page_has_ids_token_and_count():
    """A page gives the ids in order, the token of the next page, its size and the total."""
    played = play(listing.list_page(None, None, 2), page("s-1", "s-2", token="t", count=5))

    result = played.result
    assert result.unwrap() == ["s-1", "s-2"]
    assert (result.next_token, result.max_results, result.total_count) == ("t", 2, 5)
    assert played.calls[0].query["maxResults"] == "2"


@pytest.mark.parametrize("labels", [None, {}])
def test_no_filter_is_sent_as_an_empty_object(labels):
    """`labels=None` and `{}` mean no filter; the parameter is sent all the same."""
    played = play(listing.list_page(labels, None, None), page())

    assert played.calls[0].query["labels"] == "{}"
    assert played.calls[0].query["maxResults"] == "10"


@pytest.mark.parametrize("data", [[], None, {}])
def test_no_match_is_a_success_without_ids(data):
    """No match is a success with an empty list."""
    result = play(listing.list_page({"a": "b"}, 1, 10), envelope(data)).result

    assert result.success
    assert result.session_ids == []
    assert result.next_token == ""


@pytest.mark.parametrize(
    ("siblings", "count"),
    [({"count": 5}, 5), ({"totalCount": 6}, 6), ({"count": "5"}, 0), ({}, 0), ({"count": None}, 0)],
)
def test_t21_total_is_count_or_total_count(siblings, count):
    """The number of matches is a sibling of `data`, under either name (T21)."""
    assert play(listing.list_page(None, 1, 1), page(**siblings)).result.total_count == count


def test_items_without_an_id_are_left_out():
    """What has no session id is no session."""
    answer = envelope([{"sessionId": "s-1"}, {"sessionId": ""}, {}, "x", {"sessionId": "s-2"}])

    assert play(listing.list_page(None, 1, 10), answer).result.session_ids == ["s-1", "s-2"]


@given(st.integers(1, 8))
def test_page_n_takes_n_requests(number):
    """Page N is reached by N requests, each with the token of the page before."""
    answers = [page(f"s-{n}", token=f"t-{n}") for n in range(1, number + 1)]

    played = play(listing.list_page({"a": "b"}, number, 1), *answers)

    assert played.result.session_ids == [f"s-{number}"]
    tokens = [call.query.get("nextToken") for call in played.calls]
    assert tokens == [None, *(f"t-{n}" for n in range(1, number))]


@pytest.mark.parametrize("token", [None, "", 5])
def test_page_past_the_end_fails_and_keeps_the_total(token):
    """A page past the end fails, says so, and keeps the count of the last reply."""
    played = play(
        listing.list_page(None, 3, 2),
        page("s-1", token="t", count=3),
        page("s-2", token=token, count=3),
    )

    result = played.result
    assert result.success is False
    assert "Cannot reach page 3" in result.error_message
    assert (result.total_count, result.max_results, result.request_id) == (3, 2, "R")
    assert result.session_ids == []
    assert isinstance(result.exception, InvalidArgumentError)


def test_failing_page_on_the_way_is_the_result():
    """A page that fails on the way ends the walk."""
    played = play(listing.list_page(None, 3, 2), page("s-1", token="t"), FAILURE)

    assert played.result.success is False
    assert played.result.error_message == "session not found"


@pytest.mark.parametrize(
    "number", [0, -1, True, 1.0, "1", 10**12, pytest.param(10**5000, id="unprintable")]
)
def test_page_number_must_be_a_positive_integer(number):
    """A page number below 1 fails without a request, `max_results` being the limit."""
    played = play(listing.list_page(None, number, 7))

    assert_refused(played, "page must be an integer")
    assert played.result.max_results == 7


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "10", 10**12])
def test_limit_must_be_a_positive_integer(limit):
    """A page size below 1 fails without a request."""
    assert_refused(play(listing.list_page(None, 1, limit)), "limit must be an integer")


@pytest.mark.parametrize(
    ("labels", "sent"),
    [
        ({"": "v"}, '{"": "v"}'),
        ({"k": ""}, '{"k": ""}'),
        ({"k": 5}, '{"k": "5"}'),
        ({5: "v"}, '{"5": "v"}'),
    ],
)
def test_filter_is_not_held_to_the_label_rules(labels, sent):
    """The label rules hold for setting labels, not for looking."""
    played = play(listing.list_page(labels, None, None), page())

    assert played.result.success
    assert played.calls[0].query["labels"] == sent


@pytest.mark.parametrize("labels", ["x", ["a"], 5, {"k": "\ud800"}, {"\ud800": "v"}])
def test_filter_that_can_not_be_sent_fails_without_a_request(labels):
    """A filter that is no mapping of text that can be sent fails without a request."""
    assert_refused(play(listing.list_page(labels, None, None)), "label")
