"""Streaming, which an official client can do since 0.12."""


def test_streams(facts_of):
    """Output is told piece by piece, and is in the result as well."""
    facts = facts_of("streaming")

    assert facts["streams"] == ["0\n1\n2\n", "err\n", []]
    assert facts["logs"] == ["0\n1\n2\n", "err\n"]
    assert facts["result"] == [True, "", "42"]
    assert facts["counted"] == [1, True]
    assert facts["long"] is True


def test_streamed_results(facts_of):
    """What the code shows arrives with its value."""
    shown = facts_of("streaming")["shown"]

    assert [item[1:] for item in shown] == [["<b>bold</b>", False], [None, True]]
    assert shown[1][0] == "42"


def test_streamed_failures(facts_of):
    """T28: an error is told once, and with the traceback and what was printed before."""
    facts = facts_of("streaming")

    assert facts["failed"] == [False, "ZeroDivisionError: division by zero", "before\n"]
    assert facts["errors"] == ["ZeroDivisionError: division by zero"]
    assert "Traceback (most recent call last)" in facts["traceback"]
    success, message, printed = facts["late"]
    assert (success, printed) == (False, "begun\n")
    assert "took longer than 1 s" in message
    assert facts["kept"] == "1"
    assert facts["deleted"] == [False, True]


def test_no_direct_route(facts_of):
    """T27: the token of streams leads no client to a direct route that is not served."""
    facts = facts_of("streaming")

    assert facts["link_url"] == ""
    assert facts["command"] == "ok\n"
