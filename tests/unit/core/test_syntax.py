"""What is no JSON is told in the words of Go's encoding/json (go1.23's `json.Unmarshal` said these)."""

import json
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.syntax import ENDS_EARLY, fault

CHARACTERS = '{}[]":,0123456789.eE+-truefalsn \\u\n\x00é'


@pytest.mark.parametrize(
    "text", [b"", b"  ", b"{", b'{"a"', b'{"a":', b"[1,", b"tru", b"-", b"1e", b"1.", b'"\\', b'"\\u12']
)
def test_a_text_that_ends_early(text: bytes) -> None:
    assert fault(text) == ENDS_EARLY


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"not json", "'o' in literal null (expecting 'u')"),
        (b"trux", "'x' in literal true (expecting 'e')"),
        (b"NaN", "'N' looking for beginning of value"),
        (b"-Infinity", "'I' in numeric literal"),
        (b"1.x", "'x' after decimal point in numeric literal"),
        (b"1e+x", "'x' in exponent of numeric literal"),
        (b"02", "'2' after top-level value"),
        (b"{} x", "'x' after top-level value"),
        (b'{"a" 1}', "'1' after object key"),
        (b'{"a":1 "b":2}', "'\"' after object key:value pair"),
        (b'{"a":1,}', "'}' looking for beginning of object key string"),
        (b"{'a':1}", "'\\'' looking for beginning of object key string"),
        (b"[1 2]", "'2' after array element"),
        (b"[1,]", "']' looking for beginning of value"),
        (b"[}", "'}' looking for beginning of value"),
        (b'"a\nb"', "'\\n' in string literal"),
        (b'"\\x"', "'x' in string escape code"),
        (b'"\\u12g4"', "'g' in \\u hexadecimal character escape"),
        (b"\xef\xbb\xbf{}", "'\u00ef' looking for beginning of value"),
        (b"\x00", "'\\x00' looking for beginning of value"),
        (b"\\", "'\\\\' looking for beginning of value"),
    ],
)
def test_the_byte_and_where_it_is(text: bytes, words: str) -> None:
    assert fault(text) == f"invalid character {words}"


def refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


@given(st.text(CHARACTERS, max_size=8) | st.recursive(st.none() | st.floats(allow_nan=False), st.lists).map(json.dumps))
def test_what_the_parser_takes_has_no_fault_and_the_rest_has_one(text: str) -> None:
    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        assert fault(text.encode())
    else:
        assert fault(text.encode()) == ""


def test_a_long_text_is_not_looked_through() -> None:
    assert fault(b"[" * 1_000_000) == ""
