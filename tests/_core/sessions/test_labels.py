"""The label rules L1 to L8 of the documented API, and where they hold."""

from collections import OrderedDict
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.exceptions import LabelValidationError
from agb._core.sessions import labelling
from agb._core.sessions import operations as sessions
from agb._core.sessions.labels import validate_labels
from agb._core.sessions.params import CreateSessionParams

from ..scripted import assert_refused, envelope, play

NULL = "Labels cannot be null"
ARRAY = "Labels cannot be an array"
EMPTY = "Labels cannot be empty"
KEY_EMPTY = "Label keys cannot be empty"
VALUE_EMPTY = "Label values cannot be empty"
KEY_TYPE = "Label keys must be strings"
VALUE_TYPE = "Label values must be strings"

NOT_A_SET = [
    pytest.param(None, NULL, id="L1-none"),
    pytest.param([], ARRAY, id="L2-empty-list"),
    pytest.param([{"a": "b"}], ARRAY, id="L2-list"),
    pytest.param("x", NULL, id="L3-str"),
    pytest.param("", NULL, id="L3-empty-str"),
    pytest.param(5, NULL, id="L3-int"),
    pytest.param(0, NULL, id="L3-zero"),
    pytest.param((), NULL, id="L3-empty-tuple"),
    pytest.param(("a", "b"), NULL, id="L3-tuple"),
    pytest.param({"a"}, NULL, id="L3-set"),
    pytest.param({}, EMPTY, id="L4"),
    pytest.param(MappingProxyType({}), EMPTY, id="L4-mapping"),
]
BAD_PAIR = [
    pytest.param({"": "v"}, KEY_EMPTY, id="L5-empty"),
    pytest.param({None: "v"}, KEY_EMPTY, id="L5-none"),
    pytest.param({0: "v"}, KEY_EMPTY, id="L5-zero"),
    pytest.param({False: "v"}, KEY_EMPTY, id="L5-false"),
    pytest.param({" \t\n": "v"}, KEY_EMPTY, id="L5-blank"),
    pytest.param({"\u3000\xa0": "v"}, KEY_EMPTY, id="L5-unicode-blank"),
    pytest.param({"k": None}, VALUE_EMPTY, id="L6-none"),
    pytest.param({"k": ""}, VALUE_EMPTY, id="L6-empty"),
    pytest.param({"k": " \t\n"}, VALUE_EMPTY, id="L6-blank"),
    pytest.param({5: "v"}, KEY_TYPE, id="L7-int"),
    pytest.param({("a",): "v"}, KEY_TYPE, id="L7-tuple"),
    pytest.param({b"k": "v"}, KEY_TYPE, id="L7-bytes"),
    pytest.param({"k": 5}, VALUE_TYPE, id="L8-int"),
    pytest.param({"k": 0}, VALUE_TYPE, id="L8-zero"),
    pytest.param({"k": False}, VALUE_TYPE, id="L8-false"),
    pytest.param({"k": []}, VALUE_TYPE, id="L8-list"),
    pytest.param({"k": b"v"}, VALUE_TYPE, id="L8-bytes"),
    pytest.param({"\ud800": "v"}, "valid Unicode", id="key-lone-surrogate"),
    pytest.param({"k": "\udfff"}, "valid Unicode", id="value-lone-surrogate"),
]
ORDER = [
    pytest.param({"": ""}, KEY_EMPTY, id="key-before-value"),
    pytest.param({"": 5}, KEY_EMPTY, id="L5-before-L8"),
    pytest.param({5: ""}, VALUE_EMPTY, id="L6-before-L7"),
    pytest.param({5: 5}, KEY_TYPE, id="L7-before-L8"),
    pytest.param({"a": "", "": "b"}, VALUE_EMPTY, id="first-pair-value"),
    pytest.param({"": "b", "a": ""}, KEY_EMPTY, id="first-pair-key"),
    pytest.param({5: "v", "": "v"}, KEY_TYPE, id="L7-of-an-earlier-pair"),
    pytest.param({"good": "v", "bad": None, "": "v"}, VALUE_EMPTY, id="after-a-good-pair"),
    pytest.param({"": "empty-key", "project": "", "team": None}, KEY_EMPTY, id="documented"),
]

texts = st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip)
label_sets = st.dictionaries(texts, texts, min_size=1)
bad_pairs = st.sampled_from([("", "v"), (" ", "v"), (0, "v"), (7, "v"), ("k", ""), ("k", 7)])


@pytest.mark.parametrize(("labels", "phrase"), [*NOT_A_SET, *BAD_PAIR, *ORDER])
def test_first_broken_rule_is_named(labels, phrase):
    """A label set that breaks rules is refused with the phrase of the first one broken."""
    with pytest.raises(LabelValidationError) as caught:
        validate_labels(labels)

    assert phrase in str(caught.value)


@pytest.mark.parametrize(("labels", "phrase"), [*NOT_A_SET, *BAD_PAIR, *ORDER])
def test_set_labels_refuses_without_a_request(labels, phrase):
    """`set_labels` with labels that break a rule fails with its phrase and sends nothing."""
    played = play(labelling.set_labels("s-1", labels))

    assert_refused(played, phrase)
    assert played.result.data is None
    assert isinstance(played.result.exception, LabelValidationError)
    assert isinstance(played.result.exception, ValueError)


@pytest.mark.parametrize(("labels", "phrase"), [*BAD_PAIR, *ORDER])
def test_create_refuses_bad_pairs_without_a_request(labels, phrase):
    """`create` holds a non-empty label set to the rules of its pairs and sends nothing."""
    played = play(sessions.create(CreateSessionParams(labels=labels)))

    assert_refused(played, phrase)


@pytest.mark.parametrize("labels", [None, {}])
def test_create_takes_no_labels(labels):
    """For `create`, None and `{}` mean no labels."""
    played = play(
        sessions.create(CreateSessionParams(labels=labels)), envelope({"sessionId": "s-1"})
    )

    assert played.result.success
    assert played.calls[0].body == {}


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_any_mapping_counts_as_a_dict(kind):
    """Any mapping is a label set, and a dict comes back."""
    checked = validate_labels(kind({"project": "demo"}))

    assert type(checked) is dict
    assert checked == {"project": "demo"}


@given(label_sets)
def test_valid_labels_come_back_as_an_equal_copy(labels):
    """Valid labels are returned as they are, blanks at their ends included, in a new dict."""
    before = dict(labels)

    checked = validate_labels(labels)

    assert checked == labels == before
    assert list(checked) == list(labels)
    assert checked is not labels


@given(label_sets, bad_pairs, label_sets)
def test_one_bad_pair_spoils_a_set(before, pair, after):
    """One bad pair among good ones makes the whole set invalid, wherever it stands."""
    labels = {**before, **dict([pair]), **after, **dict([pair])}

    with pytest.raises(LabelValidationError):
        validate_labels(labels)
