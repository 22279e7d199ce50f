"""The server's memory of its sessions."""

import pytest

from agb.local.sessions.records import ReplyForm, SessionRecord, Status
from agb.local.sessions.store import Store
from agb.local.state.paging import InvalidPageToken


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


def record(number: int) -> SessionRecord:
    return SessionRecord(f"session-{number}", "image", ReplyForm.PLAIN)


def test_a_session_is_found_as_it_was_added(store):
    """A record survives the round trip, with its reply form and status."""
    added = SessionRecord("session-1", "agb-code-space-1", ReplyForm.STRUCTURED)

    store.add(added, {})

    assert store.get("session-1") == added
    assert store.get("session-2") is None


def test_labels_are_replaced_as_a_whole(store):
    """Only the last set of labels is kept."""
    store.add(record(1), {"a": "1", "b": "2"})

    store.replace_labels("session-1", {"b": "3"})

    assert store.labels("session-1") == {"b": "3"}


def test_a_session_takes_its_labels_with_it(store):
    """A removed session leaves no label that a later one could be found by."""
    store.add(record(1), {"a": "1"})

    store.remove("session-1")
    store.remove("session-1")

    assert store.get("session-1") is None
    assert store.labels("session-1") == {}
    assert store.page({"a": "1"}, 10, None).total == 0


def test_labels_that_cannot_be_stored_change_nothing(store):
    """Replacing labels happens as a whole or not at all."""
    store.add(record(1), {"a": "1"})

    with pytest.raises(UnicodeEncodeError):
        store.replace_labels("session-1", {"b": "\ud800"})

    assert store.labels("session-1") == {"a": "1"}


@pytest.mark.parametrize(
    "labels", [{"k": "v"}, {"k": "ünï ✓ 𝄞"}, {'q"\\': "'; DROP TABLE session; --"}, {"a.b": "$.c"}]
)
def test_any_text_can_be_filtered_by(store, labels):
    """Label names and values are matched as they are, whatever they hold."""
    store.add(record(1), labels)
    store.add(record(2), {"other": "x"})

    assert [found.id for found in store.page(labels, 10, None).records] == ["session-1"]


def test_a_filter_may_have_many_labels(store):
    """A thousand labels to match by are one query."""
    labels = {f"name-{number}": "x" for number in range(1000)}
    store.add(record(1), labels)

    assert store.page(labels, 10, None).total == 1
    assert store.page({**labels, "more": "x"}, 10, None).total == 0


def test_only_running_sessions_are_listed(store):
    """Sessions that end or have failed are not on a list."""
    for number in range(3):
        store.add(record(number), {})
    store.set_status("session-0", Status.DELETING)
    store.set_status("session-1", Status.FAILED)

    assert [found.id for found in store.page({}, 10, None).records] == ["session-2"]


def test_the_last_page_has_no_token(store):
    """A page that is exactly full is the last one if nothing follows."""
    for number in range(4):
        store.add(record(number), {})

    first = store.page({}, 2, None)
    last = store.page({}, 2, first.next_token)

    assert [found.id for found in last.records] == ["session-2", "session-3"]
    assert (first.total, last.total) == (4, 4)
    assert last.next_token is None


@pytest.mark.parametrize("token", ["", "x", "AAAA", "YWZ0ZXI6", "YWZ0ZXI6eA==", "é", "1", "="])
def test_a_foreign_token_is_refused(store, token):
    """A token that this store did not give out is an error, never a wrong page."""
    with pytest.raises(InvalidPageToken):
        store.page({}, 10, token)
