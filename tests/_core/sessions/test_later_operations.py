"""What later versions added to sessions: status, idle time, links, partial label changes."""

import pytest

from agb._core.contexts.policies import UploadPolicy
from agb._core.contexts.syncs import ContextSync, SyncPolicy
from agb._core.exceptions import InvalidArgumentError, SessionNotFoundError
from agb._core.sessions import labelling, listing
from agb._core.sessions import operations as sessions
from agb._core.sessions.params import BrowserContext, CreateSessionParams
from agb._core.sessions.results import SessionListResult, SessionSummary
from agb._core.tools.tool import McpTool

from ..scripted import FAILURE, assert_refused, envelope, play


@pytest.mark.parametrize("data", [{"status": "RUNNING"}, {"Status": "RUNNING"}])
def test_status(data):
    """The word is read in either spelling, with the facts of the reply."""
    result = play(sessions.get_status("s-1"), envelope(data)).result

    assert result.unwrap() == "RUNNING"
    assert (result.http_status_code, result.code) == (200, "ok")


def test_status_that_can_not_be_read():
    """A lost session and a reply without a status are failures that keep their code."""
    lost = play(sessions.get_status("s-1"), FAILURE).result
    empty = play(sessions.get_status("s-1"), envelope({})).result

    assert type(lost.exception) is SessionNotFoundError
    assert (lost.http_status_code, lost.code) == (400, "InvalidMcpSession.NotFound")
    assert not empty.success


def test_link():
    """The address is the data; what is left out is not sent."""
    played = play(sessions.get_link("s-1", None, None), envelope({"url": "https://link"}))

    assert played.result.data == "https://link"
    assert played.calls[0].query == {"sessionId": "s-1"}


def test_t26_a_failed_link_says_why():
    """The message of the service is shown, and a reply without an address fails."""
    refused = play(sessions.get_link("s-1", None, 30100), FAILURE).result
    empty = play(sessions.get_link("s-1", None, 30100), envelope({})).result

    assert refused.error_message == "session not found"
    assert empty.error_message == "The reply has no link"


@pytest.mark.parametrize(
    ("protocol", "port"), [(5, None), (None, 0), (None, 65536), (None, "80"), (None, True)]
)
def test_wrong_links_are_refused(protocol, port):
    """A protocol that is no text and a port that is none are refused without a request."""
    assert_refused(play(sessions.get_link("s-1", protocol, port)))


def labels(text):
    return envelope({"labels": text})


def test_update_keeps_the_other_labels():
    """`update_labels` reads, merges and replaces, and gives what is set now."""
    played = play(
        labelling.update_labels("s-1", {"b": "3", "c": "4"}),
        labels('{"a": "1", "b": "2"}'),
        envelope(None),
    )

    assert played.result.data == {"a": "1", "b": "3", "c": "4"}
    assert played.calls[1].query["Labels"] == '{"a": "1", "b": "3", "c": "4"}'


def test_remove_keeps_the_other_labels():
    """`remove_labels` leaves out the keys given; removing the last one leaves none."""
    some = play(
        labelling.remove_labels("s-1", ("a", "z")), labels('{"a": "1", "b": "2"}'), envelope(None)
    )
    all_ = play(labelling.remove_labels("s-1", ("a",)), labels('{"a": "1"}'), envelope(None))

    assert some.result.data == {"b": "2"}
    assert all_.result.data == {}
    assert all_.calls[1].query["Labels"] == "{}"


@pytest.mark.parametrize(
    "operation",
    [
        lambda: labelling.update_labels("s-1", {}),
        lambda: labelling.update_labels("s-1", {"a": ""}),
        lambda: labelling.remove_labels("s-1", ()),
        lambda: labelling.remove_labels("s-1", ("",)),
        lambda: labelling.remove_labels("s-1", (5,)),
    ],
)
def test_wrong_label_changes_are_refused(operation):
    """The label rules hold for what is set, and at least one key is needed to remove."""
    assert_refused(play(operation()))


def test_label_changes_stop_at_a_failed_read():
    """Labels that could not be read are not replaced."""
    assert not play(labelling.update_labels("s-1", {"a": "1"}), FAILURE).result.success
    assert not play(labelling.remove_labels("s-1", ("a",)), FAILURE).result.success


def test_a_list_of_sessions_can_be_iterated():
    """Iterating gives id and status; the result is true even when it is empty."""
    listed = [{"sessionId": "s-1", "sessionStatus": "RUNNING"}, {"sessionId": "s-2"}, {}]

    result = play(listing.list_page(None, None, None), envelope(listed, count=2)).result

    assert list(result) == [SessionSummary("s-1", "RUNNING"), SessionSummary("s-2", "")]
    assert result.session_ids == ["s-1", "s-2"]
    assert bool(SessionListResult()) is True
    assert list(SessionListResult(session_ids=["x"])) == [SessionSummary("x")]


def test_params_keep_copies():
    """Lists and labels are copied; later parameters go by keyword only."""
    syncs = [ContextSync("c", "/d")]
    params = CreateSessionParams({"a": "b"}, "image", syncs, None, policy_id="p")
    syncs.clear()

    assert params.context_syncs == [ContextSync("c", "/d")]
    assert CreateSessionParams(context_syncs=None).context_syncs == []
    with pytest.raises(TypeError):
        CreateSessionParams(None, None, None, None, "p")  # type: ignore[misc]


def test_a_browser_context_is_sent_as_one_more_context():
    """The data of the browser are at their documented path, saved if asked for."""
    browser = BrowserContext("c-9", auto_upload=False)

    params = CreateSessionParams(context_syncs=[ContextSync("c", "/d")], browser_context=browser)
    played = play(sessions.create(params), envelope({"sessionId": "s-1"}))

    policy = SyncPolicy(upload_policy=UploadPolicy(auto_upload=False))
    assert played.calls[0].body["persistenceDataList"] == [
        ContextSync("c", "/d").to_dict(),
        ContextSync("c-9", "/tmp/agb_browser_data", policy).to_dict(),
    ]
    assert browser.get_all_context_syncs() == []
    assert (browser.extension_context_id, browser.extension_ids) == (None, [])


@pytest.mark.parametrize(
    "params",
    [
        CreateSessionParams(policy_id=5),  # type: ignore[arg-type]
        CreateSessionParams(idle_release_timeout=-1),
        CreateSessionParams(idle_release_timeout=1.5),  # type: ignore[arg-type]
        CreateSessionParams(browser_context="c-1"),  # type: ignore[arg-type]
        CreateSessionParams(context_syncs="c-1"),  # type: ignore[arg-type]
        CreateSessionParams(context_syncs=["c-1"]),  # type: ignore[list-item]
        CreateSessionParams(context_syncs=[ContextSync("", "/d")]),
        CreateSessionParams(context_syncs=[ContextSync("c", " ")]),
    ],
)
def test_wrong_params_are_refused(params):
    """What can't be sent fails before a request, also where it is in a list."""
    played = play(sessions.create(params))

    assert_refused(played)
    assert isinstance(played.result.exception, InvalidArgumentError)


def test_idle_time_zero_leaves_it_to_the_service():
    """0 and None are the same: nothing is sent."""
    played = play(
        sessions.create(CreateSessionParams(idle_release_timeout=0)),
        envelope({"sessionId": "s-1"}),
    )

    assert played.calls[0].body == {}


def test_the_direct_route_of_a_session():
    """Link, stream address, token and tools are read where a service gives them, and not shown."""
    data = {
        "sessionId": "s-1",
        "status": "RUNNING",
        "linkUrl": "https://link-secret",
        "wsUrl": "wss://ws-secret",
        "token": "token-secret",
        "toolList": '[{"name": "run_code", "server": "wuying_codespace"}]',
    }

    found = play(sessions.get("s-1"), envelope(data)).result.data

    assert found.status == "RUNNING"
    assert (found.link_url, found.ws_url) == ("https://link-secret", "wss://ws-secret")
    assert found.tool_list == [McpTool("run_code", server="wuying_codespace")]
    assert "secret" not in repr(found)
