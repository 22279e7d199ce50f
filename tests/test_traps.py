"""Every trap of the protocol has a test that is named after it, on both sides of the wire."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The protocol numbers its traps T1 to T31.
TRAPS = range(1, 32)


@pytest.mark.parametrize(
    "side", [("_core", "_io", "_pair", "_async"), ("local",)], ids=["client", "server"]
)
def test_each_trap_has_a_test(side):
    """A test named `test_tNN_...` is there for each trap, for the client and for the server."""
    texts = [path.read_text() for folder in side for path in (HERE / folder).rglob("test_*.py")]
    named = {int(number) for text in texts for number in re.findall(r"def test_t(\d\d)_", text)}

    assert sorted(set(TRAPS) - named) == []
