"""Operations on contexts: what they refuse, what they read, and how long they wait."""

import pytest

from agb._core.contexts import operations as contexts
from agb._core.contexts.file_results import ContextFileEntry
from agb._core.contexts.results import Context, ContextListParams, ContextResult
from agb._core.exceptions import APIError, AuthenticationError, InvalidArgumentError
from agb._core.unraised_exceptions import ClearanceTimeoutError

from ..scripted import REFUSED_KEY, Answer, assert_refused, envelope, play, play_with

DATA = {"id": "c-1", "name": "n", "createTime": "then", "lastUsedTime": "now", "state": "available"}
CONTEXT = Context("c-1", "n", "then", "now")
MISSING = Answer(
    {"requestId": "R", "success": False, "code": "InvalidContext.NotFound", "message": "gone"}, 404
)


@pytest.mark.parametrize(
    ("operation", "phrase"),
    [
        (lambda: contexts.get(None, False, None, None), "Either name or context_id"),
        (lambda: contexts.get(" ", True, None, ""), "Either name or context_id"),
        (lambda: contexts.get("n", True, None, "c-1"), "leave context_id out"),
        (lambda: contexts.get(5, True, None, None), "name must be a str"),
        (lambda: contexts.create("  "), "name is required"),
        (lambda: contexts.create(None), "name is required"),
        (lambda: contexts.rename(None), "context must be a Context"),
        (lambda: contexts.rename(Context(" ", "n")), "context.id is required"),
        (lambda: contexts.rename(Context("c-1", " ")), "context.name is required"),
        (lambda: contexts.delete(None), "context must be a Context"),
        (lambda: contexts.delete(Context("", "n")), "context.id is required"),
        (lambda: contexts.list_page(ContextListParams(0)), "max_results"),
        (lambda: contexts.list_page(5), "params must be ContextListParams"),
        (lambda: contexts.file_upload_url("", "/a"), "context_id is required"),
        (lambda: contexts.file_download_url("c-1", " "), "file_path is required"),
        (lambda: contexts.delete_file("c-1", "a\0b"), "NUL"),
        (lambda: contexts.list_files(" ", None, 1, 50), "context_id is required"),
        (lambda: contexts.list_files("c-1", None, 0, 50), "page_number"),
        (lambda: contexts.list_files("c-1", None, 1, 0), "page_size"),
        (lambda: contexts.clear_async(""), "context_id is required"),
        (lambda: contexts.get_clear_status(None), "context_id is required"),
        (lambda: contexts.clear("", 60, 2.0), "context_id is required"),
        (lambda: contexts.clear("c-1", 0, 2.0), "timeout"),
        (lambda: contexts.clear("c-1", 60, -1), "poll_interval"),
    ],
)
def test_wrong_arguments_are_a_failed_result_without_a_request(operation, phrase):
    """Blank, missing and mistyped values are named, and nothing is sent."""
    played = play(operation())

    assert_refused(played, phrase)
    assert isinstance(played.result.exception, InvalidArgumentError)


def test_a_context_is_found():
    """The reply becomes a `Context`; times keep the words of the service."""
    result = play(contexts.get("n", False, None, None), envelope(DATA)).result

    assert result == ContextResult("R", True, "c-1", CONTEXT)
    assert result.error_message is None
    assert result.unwrap() is result.context


@pytest.mark.parametrize("answer", [envelope(None), envelope({}), envelope({"id": ""}), MISSING])
def test_a_context_that_is_not_there_is_a_failure(answer):
    """No id in the reply and a not-found code both fail, and neither is about a session."""
    result = play(contexts.get("n", False, None, None), answer).result

    assert result.success is False
    assert result.context is None
    assert type(result.exception) is APIError
    assert result.error_message in ("Context not found: n", "gone")


def test_t21_the_page_of_contexts_is_read_beside_the_data():
    """Token and total stand beside the array, not inside it."""
    answer = envelope([DATA, "noise"], nextToken="tok", maxResults=5, totalCount=7)

    played = play(contexts.list_page(ContextListParams(5, "before")), answer)

    assert played.calls[0].query == {"maxResults": "5", "nextToken": "before"}
    assert played.result.contexts == [CONTEXT]
    assert played.result.unwrap() == [CONTEXT]
    assert played.result.next_token == "tok"
    assert (played.result.max_results, played.result.total_count) == (5, 7)


def test_an_empty_page():
    """No context is a success; the page size is then the one asked for."""
    result = play(contexts.list_page(None), envelope(None)).result

    assert result.success
    assert result.contexts == []
    assert (result.next_token, result.max_results, result.total_count) == ("", 10, 0)


@pytest.mark.parametrize("operation", [contexts.rename, contexts.delete])
def test_changing_a_context_gives_its_id(operation):
    """Rename and delete answer with the id of the context."""
    assert play(operation(CONTEXT), envelope(None)).result.data == {"context_id": "c-1"}


def test_files_are_listed():
    """Each entry is read field by field; numbers may come as text."""
    entry = {
        "fileId": 7,
        "fileName": "a",
        "filePath": "/x/a",
        "fileType": "txt",
        "gmtCreate": "then",
        "gmtModified": "now",
        "size": "12",
        "status": "ready",
    }

    played = play(contexts.list_files("c-1", None, 2, 5), envelope([entry, {}], count=9))

    assert played.calls[0].query == {"contextId": "c-1", "pageNumber": "2", "pageSize": "5"}
    assert played.result.entries == [
        ContextFileEntry("7", "a", "/x/a", "txt", "then", "now", 12, "ready"),
        ContextFileEntry(),
    ]
    assert played.result.unwrap() == played.result.entries
    assert played.result.count == 9


def test_files_without_a_count():
    """A service that does not count gives None."""
    assert play(contexts.list_files("c-1", None, 1, 50), envelope([])).result.count is None


@pytest.mark.parametrize("operation", [contexts.file_upload_url, contexts.file_download_url])
def test_file_addresses(operation):
    """The address and its expiry are read, and the address is not in the repr."""
    answer = envelope({"url": "https://files/secret", "expireTime": 3600})

    result = play(operation("c-1", "/a"), answer).result

    assert (result.url, result.expire_time) == ("https://files/secret", 3600)
    assert result.unwrap() == result.url
    assert "secret" not in repr(result)


def test_file_addresses_that_are_not_there():
    """A reply without an address fails; an expiry that is no number is None."""
    missing = play(contexts.file_upload_url("c-1", "/a"), envelope({})).result
    eternal = play(contexts.file_upload_url("c-1", "/a"), envelope({"url": "u"})).result

    assert not missing.success
    assert missing.error_message == "The reply has no address of the file"
    assert eternal.success
    assert eternal.expire_time is None


def state(word):
    return envelope({**DATA, "state": word})


def test_clearing_waits_until_the_context_is_available():
    """`clear` begins, and asks every two seconds until the state is `available`."""
    played = play(
        contexts.clear("c-1", 60, 2.0),
        envelope(None),
        state("clearing"),
        state("pre-available"),
        state("available"),
    )

    assert played.result.success
    assert (played.result.status, played.result.context_id) == ("available", "c-1")
    assert played.result.unwrap() == "available"
    assert played.pauses == [2.0, 2.0]


def test_clearing_that_takes_too_long_is_raised():
    """A clearance without an end raises `ClearanceTimeoutError`, as documented."""
    server = iter([envelope(None)])

    with pytest.raises(ClearanceTimeoutError, match="Clearing context c-1: no end after"):
        play_with(contexts.clear("c-1", 4, 2.0), lambda call: next(server, state("clearing")))


@pytest.mark.parametrize("script", [[REFUSED_KEY], [envelope(None), REFUSED_KEY]])
def test_clearing_that_is_refused_is_a_failed_result(script):
    """A refusal at either step is a failed result, not an exception."""
    result = play(contexts.clear("c-1", 60, 2.0), *script).result

    assert not result.success
    assert type(result.exception) is AuthenticationError


def test_steps_of_clearing():
    """`clear_async` begins, `get_clear_status` asks, and a reply without a state fails."""
    begun = play(contexts.clear_async("c-1"), envelope(None)).result
    asked = play(contexts.get_clear_status("c-1"), state("clearing")).result
    unknown = play(contexts.get_clear_status("c-1"), envelope({"id": "c-1"})).result

    assert (begun.success, begun.status) == (True, "clearing")
    assert (asked.success, asked.status) == (True, "clearing")
    assert not unknown.success
