"""Secrets: hidden in every encoding."""

from __future__ import annotations

import base64
import html
import json
import random
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.common import redaction
from connector.common.redaction import HIDDEN, Redactor, masked, remember
from tests.examples import examples


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a secret-1 b secret-1", f"a {HIDDEN} b {HIDDEN}"),
        (["secret-1", 5], [HIDDEN, 5]),
        ({"a": "secret-1", "b": "a longer text"}, {"a": HIDDEN, "b": "a longer text"}),
        ({"a": {"b": ["xsecret-1x"]}}, {"a": {"b": [f"x{HIDDEN}x"]}}),
        ({"password": "p", "a": {"password": 5}}, {"password": HIDDEN, "a": {"password": HIDDEN}}),
        ({"password": {"deep": 1}}, {"password": HIDDEN}),
        ({"password": None}, {"password": None}),
        ({"passwordHint": "x"}, {"passwordHint": "x"}),
        (None, None),
        (True, True),
        (1.5, 1.5),
        ({}, {}),
    ],
)
def test_known_values_and_secret_members_are_hidden(value: Any, shown: Any) -> None:
    assert Redactor(["secret-1"], ["password"]).json(value) == shown


def test_an_empty_secret_hides_nothing() -> None:
    redactor = Redactor(["", ""])
    redactor.add("")
    assert redactor.text("abc") == "abc"


def test_a_secret_that_is_learned_later_is_hidden_from_then_on() -> None:
    redactor = Redactor()
    assert redactor.text("token-2") == "token-2"
    redactor.add("a-much-longer-token")
    redactor.add("token-2")
    assert redactor.text("token-2") == HIDDEN
    assert redactor.json({"a": "token-2", "b": ["a-much-longer-token"]}) == {"a": HIDDEN, "b": [HIDDEN]}


def test_a_secret_within_another_leaves_nothing_of_the_longer_one() -> None:
    for order in (["abc", "abcdef", "cde"], ["abcdef", "cde", "abc"], ["cde", "abc", "abcdef"]):
        assert Redactor(order).text("<abcdef>") == f"<{HIDDEN}>"


def test_the_given_value_is_not_changed() -> None:
    value = {"password": "p", "a": ["secret"]}
    Redactor(["secret"], ["password"]).json(value)
    assert value == {"password": "p", "a": ["secret"]}


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ('{"a": 1}', False),
        ("", False),
        ('{"a": "xsecret-1x"}', True),
        ('{"password": 1}', True),
        ('{"p\\u0061ssword": 1}', True),
        ('{"a": "s\\u0065cret-1"}', True),
        ('{"a": "one\\ntwo \\u00e9 \\"C:\\\\Program Files\\""}', False),
    ],
)
def test_a_text_that_surely_hides_nothing_is_told(text: str, may: bool) -> None:
    assert Redactor(["secret-1"], ["password"]).may_hide(text) is may
    assert Redactor().may_hide(text) is ("\\u00" in text and may)
    assert Redactor([], ["pass/word"]).may_hide(text) is ("\\" in text)


@pytest.mark.parametrize("length", [10, 999, 1000, 5000])
@pytest.mark.parametrize("found", ["secret-1", "password", "0123456789abcdef" * 10])
def test_a_text_of_any_length_is_searched_from_its_start_to_its_end(length: int, found: str) -> None:
    redactor = Redactor(["secret-1", "0123456789abcdef" * 10], ["password"])
    for rest in ("x" * length, "é" * length, "—" * length):
        assert not redactor.may_hide(rest + found[1:8])
        for text in (found + rest, rest + found, rest + found + rest):
            assert redactor.may_hide(text)
            assert redactor.text(text) == (text if found == "password" else text.replace(found, HIDDEN))


def escaped_at_random(text: str, chances: random.Random) -> str:
    """Return a JSON string of a text, with escapes of some characters that need none."""
    return "".join(f"\\u{ord(c):04x}" if chances.random() < 0.1 else json.dumps(c)[1:-1] for c in text)


@examples(200)
@given(
    st.lists(st.sampled_from(["secret-1", "s3cr3t/2", "password", "\n", '"', "\\", "é", "x"])), st.randoms()
)
def test_a_text_that_may_hide_nothing_hides_nothing(parts: list[str], chances: random.Random) -> None:
    text = (
        f'{{"{escaped_at_random("".join(parts), chances)}": "{escaped_at_random("".join(parts), chances)}"}}'
    )
    redactor = Redactor(["secret-1", "s3cr3t/2"], ["password"])
    value = json.loads(text)
    assert redactor.may_hide(text) or redactor.json(value) == value


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("", HIDDEN), ("short", HIDDEN), ("elevenchars", HIDDEN), ("twelve-chars", HIDDEN + "hars")],
)
def test_a_masked_secret_shows_its_end_only_when_it_is_long(secret: str, shown: str) -> None:
    assert masked(secret) == shown


@examples(100)
@given(st.lists(st.text("ab", min_size=2, max_size=6), min_size=1, max_size=4), st.text("abc", max_size=30))
def test_no_secret_is_left_in_any_text(secrets: list[str], text: str) -> None:
    shown = Redactor(secrets).text(text)
    assert not any(secret in shown for secret in secrets)


@pytest.mark.parametrize("secret", ['a"b\\c/d', "a b+c=d%41", "ä-ö-ü", "it's"])
def test_a_secret_is_hidden_however_it_is_spelled(secret: str) -> None:
    redactor = Redactor([secret])
    spelled = [secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), quote(secret, safe="")]
    for text in (*spelled, urlencode({"x": secret}), str(KeyError(secret))):
        assert HIDDEN in redactor.text(f"<{text}>"), text
        assert len(redactor.text(text).replace(HIDDEN, "")) <= 3, text


def test_learning_a_secret_again_and_again_spells_it_no_further() -> None:
    redactor = Redactor(["a b%"])
    for _ in range(5):
        redactor.add("another")
    assert [secret.value for secret in redactor._secrets] == ["another", "a b%"]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ('{"password": "p", "a": 1}', '{"password": "•••", "a": 1}'),
        ('{"password":"a\\"b","a":1}', '{"password":"•••","a":1}'),
        ('{"password": "cut o', '{"password": "•••'),
        ('{"password": 17}', '{"password": "•••"}'),
        ('{"password": null}', '{"password": null}'),
        ('{"password": ""}', '{"password": ""}'),
        (r'"{\"password\": \"p\", \"a\": 1}"', r'"{\"password\": \"•••\", \"a\": 1}"'),
        ("{'password': 'p', 'a': 1}", "{'password': '•••', 'a': 1}"),
        ("grant=x&password=p%20q&a=1", "grant=x&password=•••&a=1"),
        ("secret-1 and a password: too short", "••• and a password: too short"),
        ('{"passwordHint": "x", "my_password": "x"}', '{"passwordHint": "x", "my_password": "x"}'),
    ],
)
def test_what_is_quoted_loses_the_members_that_are_secret(message: str, shown: str) -> None:
    assert Redactor(["secret-1"], ["password"]).said(message) == shown
    assert Redactor([], ["password"]).with_secrets(["secret-1"]).said(message) == shown


def test_a_row_has_secrets_of_its_own() -> None:
    everywhere = Redactor(["secret-1"], ["password"])
    here = everywhere.with_secrets(["own-secret", "abc"])
    assert here.text("secret-1 own-secret abc") == f"{HIDDEN} {HIDDEN} abc"  # three letters hide nothing
    assert here.json({"password": 1, "a": ["own-secret", "b"]}) == {"password": HIDDEN, "a": [HIDDEN, "b"]}
    assert here.may_hide("own-secret")
    assert everywhere.text("own-secret") == "own-secret"
    everywhere.add("t2")  # a token that is renewed meanwhile
    assert here.text("t2") == HIDDEN
    assert here.json({"a": "t2"}) == {"a": HIDDEN}
    assert here.may_hide("t2")


def test_the_process_knows_what_any_part_of_it_has_learned() -> None:
    Redactor().add("a-token-of-this-test")
    remember("a-secret-of-this-test")
    remember("abc")
    message = "abc a-token-of-this-test a-secret-of-this-test"
    assert redaction.OF_PROCESS.text(message) == f"abc {HIDDEN} {HIDDEN}"


def escaped_twice(text: str) -> str:
    return json.dumps(json.dumps(text))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON in JSON": escaped_twice,
    "JSON of other letters": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON with slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON for HTML": lambda text: "".join(f"\\u{ord(c):04X}" if c in "<>&'=+" else c for c in text),
    "a repr": repr,
    "URL": lambda text: quote(text, safe=""),
    "URL with slashes bare": quote,
    "URL with much bare": lambda text: quote(text, safe="/+=:,;@&$!*'()~"),
    "URL in lower case": lambda text: re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), quote(text, safe="")),
    "URL in a URL": lambda text: quote(quote(text), safe=""),
    "form": quote_plus,
    "form in a URL": lambda text: quote(quote_plus(text), safe=""),
    "HTML": html.escape,
    "HTML in numbers": lambda text: re.sub("[^0-9A-Za-z]", lambda m: f"&#{ord(m[0])};", text),
    "HTML in hex": lambda text: re.sub("[^0-9A-Za-z]", lambda m: f"&#x{ord(m[0]):X};", text),
    "XML in HTML": lambda text: html.escape(html.escape(text)),
}
BASE64 = st.binary(min_size=24, max_size=48).map(lambda data: base64.b64encode(data).decode())
ANY_SECRET = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=8, max_size=24)


@pytest.mark.parametrize("name", SPELLINGS)
@examples(50)
@given(BASE64 | ANY_SECRET)
@example("0000000&")
@example("0000000%")
@example("0000000\\")
def test_no_spelling_of_a_secret_is_left(name: str, secret: str) -> None:
    spelled = SPELLINGS[name](secret)
    shown = Redactor([secret]).text(f"<{spelled}>")
    left = re.sub(r"""["'\\\\]""", "", shown)  # the quotes around it
    assert left == f"<{HIDDEN}>", spelled
    assert Redactor([secret]).may_hide(spelled)
    assert Redactor([secret]).json({spelled: [spelled]}) == {shown[1:-1]: [shown[1:-1]]}


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("secret", ["0000000%", "0000000&", "00000000\\", "0000%%%%"])
def test_no_rest_of_a_last_character_is_left(name: str, secret: str) -> None:
    shown = Redactor([secret]).text(f"<{SPELLINGS[name](secret)}>")
    assert re.sub(r"""["'\\\\]""", "", shown) == f"<{HIDDEN}>"


@given(BASE64.filter(lambda text: text.endswith("=")))
def test_a_secret_without_its_padding_is_hidden(secret: str) -> None:
    for text in (secret, secret.rstrip("="), quote(secret), secret.rstrip("=") + "%3D"):
        assert HIDDEN in Redactor([secret]).text(text)
        assert len(Redactor([secret]).text(text)) <= len(HIDDEN) + 3


def test_many_backslashes_cost_little() -> None:
    start = time.process_time()
    redactor = Redactor(['"/"/"/"', "/a-secret/"])
    redactor.text("\\" * 200_000)
    redactor.text("/a" + "\\" * 200_000)
    assert time.process_time() - start < 2


def test_the_name_of_a_member_is_hidden_and_no_member_is_lost() -> None:
    redactor = Redactor(["secret/1+x="])
    value = {"secret/1+x=": 1, "a secret%2F1%2Bx%3D": [2], "ok": {"secret/1+x=": None}, "secret\\/1+x=": 4}
    shown = {HIDDEN: 1, f"a {HIDDEN}": [2], "ok": {HIDDEN: None}, HIDDEN * 2: 4}
    assert redactor.json(value) == shown
    assert redactor.with_secrets(["another"]).json(value) == shown


def test_a_name_that_was_plain_is_hidden_once_it_is_known_as_a_secret() -> None:
    redactor = Redactor()
    here = redactor.with_secrets(["own-secret"])
    assert redactor.json({"token-12": 1}) == here.json({"token-12": 1}) == {"token-12": 1}
    redactor.add("token-12")
    assert redactor.json({"token-12": 1}) == here.json({"token-12": 1}) == {HIDDEN: 1}
    assert here.json({"own-secret": 1}) == {HIDDEN: 1}
