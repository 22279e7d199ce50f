"""Listing sessions by label and page."""

from __future__ import annotations

import pytest

from agb import APIError, CreateSessionParams, SessionListResult


def test_list_gives_ids(session, agb, service):
    """Listing without a filter gives the ids of all sessions, ten on a page."""
    result = agb.list()

    assert result == SessionListResult("R", True, "", ["s-1"], "", 10, 1)
    assert service.query() == {"maxResults": "10", "labels": "{}"}
    assert service.requests[0].content == b""


def test_list_filters_by_all_labels(agb, service):
    """Listing with labels sends them as JSON and gives the sessions that carry all of them."""
    agb.create(CreateSessionParams(labels={"a": "1"}))
    agb.create(CreateSessionParams(labels={"a": "1", "b": "2"}))

    result = agb.list({"a": "1", "b": "2"}, limit=5)
    empty = agb.list({"a": "2"})

    assert result.unwrap() == ["s-2"]
    assert service.query(-2) == {"maxResults": "5", "labels": '{"a": "1", "b": "2"}'}
    assert (empty.success, empty.session_ids) == (True, [])


def test_list_walks_to_a_page(agb, service):
    """Page three takes three requests, each with the token of the page before it."""
    service.on(
        "/sdk/ListSession",
        service.ok([{"sessionId": "s-1"}], nextToken="t-2", count=3),
        service.ok([{"sessionId": "s-2"}], nextToken="t-3", count=3),
        service.ok([{"sessionId": "s-3"}], nextToken=None, count=3),
    )

    result = agb.list(page=3, limit=1)

    tokens = [service.query(index).get("nextToken") for index in range(3)]
    assert result == SessionListResult("R", True, "", ["s-3"], "", 1, 3)
    assert tokens == [None, "t-2", "t-3"]


def test_list_cannot_go_past_the_end(session, agb, service):
    """A page past the end fails, says so, and keeps the count."""
    result = agb.list(page=2)

    assert result.success is False
    assert "Cannot reach page 2" in result.error_message
    assert (result.total_count, result.max_results, result.session_ids) == (1, 10, [])
    assert service.seen == ["/sdk/ListSession"]


@pytest.mark.parametrize("page", [0, -1, "1", 1.5])
def test_list_refuses_a_bad_page(page, agb, service):
    """A page below one, or of a wrong type, fails without a request and keeps the limit."""
    result = agb.list(page=page, limit=7)

    assert (result.success, result.max_results) == (False, 7)
    assert "page" in result.error_message
    assert service.requests == []


def test_list_goes_on_from_a_token(agb, service):
    """With the token of the page before, the next page takes one request."""
    service.on("/sdk/ListSession", service.ok([{"sessionId": "s-2"}], nextToken="t-3", count=3))

    result = agb.list(limit=1, next_token="t-2")

    assert (result.session_ids, result.next_token) == (["s-2"], "t-3")
    assert service.query() == {"maxResults": "1", "nextToken": "t-2", "labels": "{}"}
    assert len(service.requests) == 1


@pytest.mark.parametrize("given", [{"next_token": 5}, {"next_token": "t", "page": 2}])
def test_list_refuses_a_bad_token(given, agb, service):
    """A token of a wrong type, or beside a page number, fails without a request."""
    result = agb.list(**given)

    assert result.success is False
    assert "next_token" in result.error_message
    assert service.requests == []


def test_a_thousand_sessions_are_ten_requests(agb, service):
    """Going through 1000 sessions by pages of 100 takes 10 requests, each when it is needed."""
    pages = [
        service.ok(
            [{"sessionId": f"s-{page * 100 + number}"} for number in range(100)],
            nextToken=f"t-{page + 1}" if page < 9 else "",
            count=1000,
        )
        for page in range(10)
    ]
    service.on("/sdk/ListSession", *pages)

    ids = []
    asked_after = []
    for session_id in agb.iter_sessions({"a": "b"}, limit=100):
        ids.append(session_id)
        asked_after.append(len(service.requests))

    assert ids == [f"s-{number}" for number in range(1000)]
    assert asked_after == [number // 100 + 1 for number in range(1000)]
    assert service.query(0) == {"maxResults": "100", "labels": '{"a": "b"}'}
    assert service.query()["nextToken"] == "t-9"


def test_a_page_that_fails_is_raised(agb, service):
    """Going through sessions has no result to fail, so a page that can't be read is an error."""
    service.on(
        "/sdk/ListSession",
        service.ok([{"sessionId": "s-1"}], nextToken="t"),
        service.refused("busy"),
    )

    walk = agb.iter_sessions()

    assert walk.__next__() == "s-1"
    with pytest.raises(APIError, match="busy"):
        walk.__next__()
