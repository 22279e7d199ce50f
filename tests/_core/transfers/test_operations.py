"""Moving whole files: what is asked in which order, and what each answer makes of the result."""

import hashlib
import json
from pathlib import PurePosixPath

import pytest

from agb._core.exceptions import (
    AGBError,
    APIConnectionError,
    APIError,
    APITimeoutError,
    FileError,
    InvalidArgumentError,
    SessionNotFoundError,
)
from agb._core.transfers import operations as transfers
from agb._core.transfers.results import DownloadResult, UploadResult
from agb._core.transfers.stores import StoreReply
from agb._core.transfers.sync import Waiting

from ..scripted import FAILURE, Answer, envelope, play_with

CONTENT = b"hello world"
SIZE = len(CONTENT)
MD5 = hashlib.md5(CONTENT).hexdigest()
TAKEN = StoreReply(200, {"etag": f'"{MD5}"'})
GIVEN = StoreReply(200, {"etag": f'"{MD5}"', "content-length": str(len(CONTENT))})
BROKEN = APIConnectionError("broken", retryable=True)
BUSY = Answer({"success": False, "message": "busy"}, 503)
LOAD, UP, DOWN = "GetAndLoadInternalContext", "GetContextFileUploadUrl", "GetContextFileDownloadUrl"
SYNC, INFO = "SyncContext", "GetContextInfo"


class File:
    """A source and a target that answers what the test prepared; its clock goes on by itself."""

    def __init__(self, *answers, received=SIZE, md5=MD5, seconds=0.01):
        self.answers = list(answers)
        self.received = received
        self.md5 = md5
        self.time = 0.0
        self.seconds = seconds
        self.done = []

    def now(self):
        self.time += self.seconds
        return self.time

    def open(self, path):
        self.done.append(("open", path))
        return len(CONTENT)

    def commit(self):
        self.done.append("commit")

    def put(self, url, content_type):
        self.done.append(("put", url, content_type))
        return self._answer()

    def get(self, url):
        self.done.append(("get", url))
        return self._answer()

    def _answer(self):
        answer = self.answers.pop(0)
        if isinstance(answer, tuple):
            self.received, answer = answer
        if isinstance(answer, Exception):
            raise answer
        return answer


def tasks(*items, **fields):
    described = [
        {"contextId": "c", "path": "/d", "errorMessage": "", "status": "Success", **fields, **item}
        for item in items
    ]
    packed = json.dumps([{"type": "data", "data": json.dumps(described)}])
    return envelope({"contextStatus": packed if items else "[]"})


class Service:
    """Answers each endpoint; those that the test names with the answers that it prepared."""

    def __init__(self, kind, **prepared):
        context = {"contextId": "c", "contextType": "file_transfer", "contextPath": "/home/u"}
        self.answers = {
            LOAD: [envelope([{"contextType": "other"}, context])],
            UP: [envelope({"url": "http://store/up", "expireTime": 9}, requestId="R-url")],
            DOWN: [envelope({"url": "http://store/down"}, requestId="R-url")],
            SYNC: [envelope(None, requestId="R-sync")],
            INFO: [tasks(), tasks({"taskType": kind, "taskId": "1"})],
            **prepared,
        }

    def __call__(self, call):
        answers = self.answers[call.name]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def up(source, path="/d/a b", content_type=None, tries=2, waiting=None, local="f", **prepared):
    steps = transfers.upload("s", source, local, path, content_type, waiting or Waiting(), tries)
    return play_with(steps, Service("download", **prepared))


def down(target, path="/d/a b", tries=2, waiting=None, local="f", **prepared):
    steps = transfers.download("s", target, path, local, waiting or Waiting(), tries)
    return play_with(steps, Service("upload", **prepared))


def names(played):
    return [call.name for call in played.calls]


def test_an_upload():
    """Context, address, file, sync of the parent directory, and its end."""
    source = File(TAKEN)

    played = up(source, content_type="text/plain")

    assert played.result == UploadResult(
        True, "R-url", "R-sync", 200, f'"{MD5}"', len(CONTENT), "/d/a b", None
    )
    assert names(played) == [LOAD, UP, INFO, SYNC, INFO]
    assert source.done == [("open", "f"), ("put", "http://store/up", "text/plain")]
    assert played.calls[0].query == {"sessionId": "s", "contextTypes": '["file_transfer"]'}
    assert played.calls[1].query == {"contextId": "c", "filePath": "/d/a b"}
    assert played.calls[3].query == {
        "sessionId": "s",
        "contextId": "c",
        "path": "/d",
        "mode": "download",
    }
    assert played.calls[4].query == {
        "sessionId": "s",
        "contextId": "c",
        "path": "/d",
        "taskType": "download",
    }
    assert played.pauses == []


def test_a_download():
    """Context, sync of the parent directory and its end, address, file, and its place."""
    target = File(GIVEN)

    played = down(target, local=PurePosixPath("x/y"))

    assert played.result == DownloadResult(
        True, "R-url", "R-sync", 200, len(CONTENT), "/d/a b", "x/y", None
    )
    assert names(played) == [LOAD, INFO, SYNC, INFO, DOWN]
    assert played.calls[2].query["mode"] == "upload"
    assert target.done == [("open", "x/y"), ("get", "http://store/down"), "commit"]


def test_without_waiting():
    """Nobody asks for the end of the sync: the upload is on its way, the download just reads."""
    waiting = Waiting(wait=False)

    sent, got = up(File(TAKEN), waiting=waiting), down(File(GIVEN), waiting=waiting)

    assert sent.result.success
    assert names(sent) == [LOAD, UP, SYNC]
    assert got.result.success
    assert names(got) == [LOAD, SYNC, DOWN]


@pytest.mark.parametrize("move", [up, down])
@pytest.mark.parametrize(
    ("options", "phrase"),
    [
        ({"path": "relative"}, "remote_path must be the absolute path"),
        ({"path": "/d/"}, "remote_path must be the absolute path"),
        ({"path": "/a\0b"}, "NUL"),
        ({"path": ""}, "remote_path is required"),
        ({"path": None}, "remote_path is required"),
        ({"path": 5}, "remote_path must be a str"),
        ({"path": "/\ud800"}, "Unicode"),
        ({"local": ""}, "local_path"),
        ({"local": None}, "local_path"),
        ({"local": b"f"}, "local_path"),
        ({"local": "a\0"}, "local_path"),
        ({"waiting": Waiting(True, 0, 1)}, "wait_timeout"),
        ({"waiting": Waiting(True, 1, -1)}, "poll_interval"),
        ({"waiting": Waiting(True, "1", 1)}, "wait_timeout"),
    ],
)
def test_what_can_not_be_sent_is_met_at_the_door(move, options, phrase):
    """A value that makes no sense is a failed result, and nothing is asked."""
    played = move(File(), **options)

    assert played.calls == []
    assert not played.result.success
    assert phrase in played.result.error_message
    assert type(played.result.exception) is InvalidArgumentError
    with pytest.raises(InvalidArgumentError):
        played.result.unwrap()


@pytest.mark.parametrize("content_type", ["", 5, "text/plain\r\nX: y", "café"])
def test_a_content_type_is_the_value_of_a_header(content_type):
    """What can't be in a header is refused."""
    played = up(File(), content_type=content_type)

    assert played.calls == []
    assert "content_type" in played.result.error_message


def test_a_file_that_can_not_be_opened():
    """Its error is that of the result, and nothing is asked."""

    class Unreadable(File):
        def open(self, path):
            raise FileError("no such file")

    sent, got = up(Unreadable()), down(Unreadable())

    assert sent.calls == got.calls == []
    assert sent.result.error_message == got.result.error == "no such file"
    assert type(got.result.exception) is FileError


@pytest.mark.parametrize("data", [None, [], [{"contextType": "file_transfer"}], {"contextId": "c"}])
def test_a_service_without_file_transfer(data):
    """Without a context to go by, the call fails and says so."""
    played = up(File(), **{LOAD: [envelope(data)]})

    assert "no context for file transfer" in played.result.error_message
    assert names(played) == [LOAD]


@pytest.mark.parametrize(("move", "endpoint"), [(up, UP), (down, DOWN)])
def test_no_address(move, endpoint):
    """A reply without an address is an error."""
    played = move(File(), **{endpoint: [envelope({})]})

    assert "no address" in played.result.error_message
    assert played.result.http_status is None


@pytest.mark.parametrize("endpoint", [LOAD, SYNC])
def test_a_session_that_is_gone(endpoint):
    """The typed error of the service is that of the result; what was known stays."""
    played = up(File(TAKEN), **{endpoint: [FAILURE]})

    assert isinstance(played.result.exception, SessionNotFoundError)
    assert played.result.http_status == (200 if endpoint == SYNC else None)
    with pytest.raises(SessionNotFoundError):
        played.result.raise_for_error()


def test_a_file_that_the_store_refuses():
    """The status of the refusal is in the result."""
    played = up(File(StoreReply(403, {}, "expired")), tries=2)

    assert played.result.http_status == 403
    assert played.result.bytes_sent == 0
    assert "expired" in played.result.error_message
    assert names(played) == [LOAD, UP]


def test_a_store_that_recovers():
    """What may pass is tried again, with growing pauses and as long as the store asked for."""
    busy = StoreReply(503, {"retry-after": "3"})

    played = up(File(BROKEN, busy, BROKEN, TAKEN), tries=3)

    assert played.result.success
    assert played.pauses == [0.1, 3.0, 0.4]


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        ([BROKEN], 0),
        ([BROKEN, BROKEN], 1),
        ([StoreReply(503, {"retry-after": "3600"})], 5),
        ([APIError("final")], 5),
        ([FileError("the disk is full")], 5),
    ],
)
@pytest.mark.parametrize("move", [up, down])
def test_a_store_that_does_not_recover(move, answers, tries):
    """Tries are bounded, and what can't pass is not tried again."""
    if move is down:
        answers = [a if isinstance(a, AGBError) else APIError("x", 503) for a in answers]
    file = File(*answers, received=0)

    played = move(file, tries=tries)

    assert not played.result.success
    assert file.answers == []
    assert "commit" not in file.done


def test_what_came_earns_new_tries():
    """A broken line that brings a piece each time is asked until the file is whole."""
    pieces = [(n << 20, BROKEN) for n in range(1, 6)]
    target = File(*pieces, (len(CONTENT), GIVEN), received=0)

    played = down(target, tries=1)

    assert played.result.success
    assert played.pauses == [0.1] * 5


def test_what_arrived_is_checked():
    """Another checksum than that of what was sent fails the upload."""
    played = up(File(TAKEN, md5="0" * 32))

    assert "got something else" in played.result.error_message
    assert played.result.bytes_sent == 0
    assert names(played) == [LOAD, UP]


@pytest.mark.parametrize("target", [File(GIVEN, md5="0" * 32), File(GIVEN, received=5)])
def test_what_came_is_checked(target):
    """Another checksum or length than the store has fails the download; nothing is put in place."""
    played = down(target)

    assert "came changed" in played.result.error_message
    assert "commit" not in target.done


@pytest.mark.parametrize(
    "status", ["Success", "successful", "OK", "finished", "done", "completed", "COMPLETE"]
)
def test_words_of_success(status):
    """Services have many words for the end of a sync."""
    answers = [tasks(), tasks({"taskType": "download", "status": status})]

    assert up(File(TAKEN), **{INFO: answers}).result.success


@pytest.mark.parametrize(
    ("task", "phrase"),
    [
        ({"status": "Failed", "errorMessage": "disk full"}, "failed: disk full"),
        ({"status": "error"}, "The sync of /d failed"),
        ({"status": "Success", "errorMessage": "but not all"}, "failed: but not all"),
    ],
)
def test_a_sync_that_fails(task, phrase):
    """A failed task fails the call, with its reason; the request ids stay."""
    answers = [tasks(), tasks({"taskType": "download", **task})]

    result = up(File(TAKEN), **{INFO: answers}).result

    assert phrase in result.error_message
    assert result.request_id_sync == "R-sync"
    assert result.bytes_sent == len(CONTENT)


def test_t18_no_answer_is_no_end():
    """Nothing, an answer that can't be read, and a busy service are asked again."""
    unreadable = envelope({"contextStatus": "{}"})
    running = tasks({"taskType": "download", "status": "Running"})
    ended = tasks({"taskType": "download"})
    answers = [tasks(), tasks(), BUSY, running, ended]

    played = up(File(TAKEN), **{INFO: answers})

    assert played.result.success
    assert played.pauses == [1.5] * 3
    assert not up(File(TAKEN), **{INFO: [tasks(), unreadable]}).result.success


def test_t19_a_task_of_an_earlier_transfer_is_not_this_one():
    """A task that was there before the sync counts only when it does not change for a while."""
    old = tasks({"taskType": "download", "startTime": 1})
    new = tasks({"taskType": "download", "startTime": 2})

    changed = up(File(TAKEN), **{INFO: [old, old, new]})
    unchanged = up(File(TAKEN), **{INFO: [old]})

    assert changed.result.success
    assert len(changed.pauses) == 1
    assert unchanged.result.success
    assert len(unchanged.pauses) == 3


def test_the_tasks_before_need_not_be_known():
    """A service that can't tell them is asked all the same."""
    played = up(File(TAKEN), **{INFO: [BUSY, tasks({"taskType": "download"})]})

    assert played.result.success


@pytest.mark.parametrize(
    "other", [{"taskType": "upload"}, {"path": "/e"}, {"contextId": "x"}, {"path": ""}]
)
def test_t20_only_the_own_task_counts(other):
    """Tasks of other directions, paths and contexts do not count; paths are compared clean."""
    foreign = {"taskType": "download", **other}
    own = tasks(foreign, {"taskType": "Download", "path": "/d/."})

    played = up(File(TAKEN), **{INFO: [tasks(), tasks(foreign), own]})

    assert played.result.success
    assert len(played.pauses) == 1


def test_one_deadline_for_the_sync():
    """Questions and pauses together take no longer than asked for; each call gets what is left."""
    running = tasks({"taskType": "download", "status": "Running"})
    waiting = Waiting(timeout_s=5, interval_s=2)

    played = up(File(TAKEN, seconds=0.5), waiting=waiting, **{INFO: [tasks(), running]})

    assert type(played.result.exception) is APITimeoutError
    assert "within 5 s (its state is 'Running')" in played.result.error_message
    assert len(played.pauses) < 6
    assert max(played.pauses) == 2
    limits = [call.read_timeout_s for call in played.calls[2:]]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] == 4.5
    assert limits[-1] >= 0.1


def test_the_last_trouble_is_in_the_message():
    """A service that is busy to the end is named as the reason."""
    played = up(File(TAKEN, seconds=1), waiting=Waiting(timeout_s=3), **{INFO: [tasks(), BUSY]})

    assert "busy" in played.result.error_message


def test_a_file_in_the_root():
    """The parent of a file at the top is the root."""
    played = up(
        File(TAKEN),
        path="/a",
        **{INFO: [tasks(), tasks({"taskType": "download", "path": "/"})]},
    )

    assert played.result.success
    assert played.calls[3].query["path"] == "/"


def test_where_transfers_are_meant_to_be():
    """The path that the service names, None if it names none or fails."""

    def ask(answer):
        return play_with(transfers.transfer_path("s"), lambda call: answer).result

    assert ask(Service("").answers[LOAD][0]) == "/home/u"
    assert ask(envelope([{"contextType": "file_transfer", "contextId": "c"}])) is None
    assert ask(envelope([])) is None
    assert ask(FAILURE) is None


def test_a_result_made_by_hand():
    """A success gives its path; a failure without a typed error raises the base of all."""
    assert UploadResult(True, path="/a").unwrap() == "/a"
    assert DownloadResult(True, local_path="a").unwrap() == "a"
    with pytest.raises(AGBError, match=r"^why$"):
        UploadResult(error_message="why").raise_for_error()
