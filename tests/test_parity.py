"""The two colours have the same public classes, methods, parameters, defaults and words."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import agb

PAIRS = {
    name: (getattr(agb, name), getattr(agb, name.removeprefix("Async")))
    for name in agb.__all__
    if name.startswith("Async")
}
# What differs in more than colour: class of the async colour, name, and why.
EXCEPTIONS: dict[tuple[str, str], str] = {}
RENAMED = {"aclose": "close", "__aenter__": "__enter__", "__aexit__": "__exit__"}


def public(owner: type) -> dict[str, Any]:
    """Collect what a class defines for its users, by its blocking name."""
    return {
        RENAMED.get(name, name): value
        for name, value in vars(owner).items()
        if not name.startswith("_") or name in RENAMED or name in RENAMED.values()
    }


def shape(member: Any) -> list[tuple[str, Any, Any]]:
    """Describe the parameters of a function: name, kind and default."""
    function = getattr(member, "fget", None) or getattr(member, "__func__", member)
    parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters]


def words(member: Any) -> str:
    """Give what a docstring says, in the words of the blocking colour."""
    text = re.sub(r"\bawait |\basync (?=with)|\bAsync(?=[A-Z])", "", inspect.getdoc(member) or "")
    return text.replace("aclose", "close")


@pytest.mark.parametrize("name", PAIRS)
def test_both_colours_have_the_same_members(name):
    """Every public member of one colour is one of the other."""
    ours, theirs = (public(owner) for owner in PAIRS[name])
    excepted = {member for owner, member in EXCEPTIONS if owner == name}

    assert set(ours) - excepted == set(theirs) - excepted


@pytest.mark.parametrize("name", PAIRS)
def test_both_colours_have_the_same_signatures(name):
    """Parameters have the same names, kinds and defaults in both colours."""
    ours, theirs = (public(owner) for owner in PAIRS[name])

    for member in ours.keys() - {each for owner, each in EXCEPTIONS if owner == name}:
        if callable(ours[member]) or isinstance(ours[member], (property, classmethod)):
            assert shape(ours[member]) == shape(theirs[member]), member


@pytest.mark.parametrize("name", PAIRS)
def test_both_colours_say_the_same(name):
    """Docstrings say the same words, each in its own colour."""
    ours, theirs = PAIRS[name]

    assert words(ours) == words(theirs)
    for member in public(ours):
        assert words(public(ours)[member]) == words(public(theirs)[member]), member


@pytest.mark.parametrize("name", PAIRS)
def test_the_colours_are_apart(name):
    """No class of one colour is a subclass of its twin: `isinstance` tells them apart."""
    ours, theirs = PAIRS[name]

    assert not issubclass(ours, theirs)
    assert not issubclass(theirs, ours)
    assert ours.__module__ == theirs.__module__ == "agb"
