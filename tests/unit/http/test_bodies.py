import json
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct, field

from mooring.core.errors import BadRequest, Unprocessable
from mooring.http.bodies import decode


class Inner(Struct):
    flag: bool = False
    words: dict[str, str] = field(default_factory=dict)


class Outer(Struct):
    name: Annotated[str, Meta(max_length=5)] = ""
    size: int | None = None
    inner: Inner | None = None
    many: list[Inner] = field(default_factory=list)


def fault(body: bytes) -> str:
    with pytest.raises(Unprocessable) as refused:
        decode(body, Outer, "thing")
    return refused.value.message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", Outer()),
        (b"null", Outer()),
        (b'{"name": null, "size": null}', Outer()),
        (b'{"NAME": "a", "Size": 7}', Outer(name="a", size=7)),
        (b'{"name": "a", "name": "b"}', Outer(name="b")),
        (b'{"name": "a"} \n', Outer(name="a")),
        (b'{"name": "a\\ud800b"}', Outer(name="a\ufffdb")),
        (b'{"unknown": [1, {}]}', Outer()),
        (b' \n{"inner": {"flag": true, "words": {"K": "v"}}}', Outer(inner=Inner(flag=True, words={"K": "v"}))),
        (b'{"many": [{"flag": true}, null, {}]}', Outer(many=[Inner(flag=True), Inner()])),
    ],
)
def test_what_go_would_take(body: bytes, expected: Outer) -> None:
    assert decode(body, Outer, "thing") == expected


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"{", "unexpected EOF"),
        (b'{"name": "a', "unexpected EOF"),
        (b"", "unexpected EOF"),
        (b"{'a': 1}", "invalid character '\\'' looking for beginning of object key string"),
        (b'{"name": "a",}', "invalid character '}' looking for beginning of object key string"),
        (b"\xef\xbb\xbf{}", "invalid character '\u00ef' looking for beginning of value"),
        (b'{"name": "\x01"}', "invalid character '\\x01' in string literal"),
        (b'{"name": "\\x"}', "invalid character 'x' in string escape code"),
        (b'{"flag": tru', "unexpected EOF"),
        (b'{"flag": trux}', "invalid character 'x' in literal true (expecting 'e')"),
        (b"nil", "invalid character 'i' in literal null (expecting 'u')"),
        (b'{"name": 1.5}', "json: cannot unmarshal number into Go struct field Outer.name of type string"),
        (b"[NaN]", "invalid character 'N' looking for beginning of value"),
        (b"5", "json: cannot unmarshal number into Go value of type models.Outer"),
        (b'["x"]', "json: cannot unmarshal array into Go value of type models.Outer"),
        (b'{"name": 5}', "json: cannot unmarshal number into Go struct field Outer.name of type string"),
        (b'{"size": "5"}', "json: cannot unmarshal string into Go struct field Outer.size of type int64"),
        (b'{"size": true}', "json: cannot unmarshal bool into Go struct field Outer.size of type int64"),
        (b'{"size": 1.5}', "json: cannot unmarshal number 1.5 into Go struct field Outer.size of type int64"),
        (b'{"size": 9223372036854775808}', "number 9223372036854775808 into Go struct field Outer.size of type int64"),
        (b'{"inner": {"flag": 1}}', "json: cannot unmarshal number into Go struct field Inner.inner.flag of type bool"),
        (b'{"inner": "x"}', "json: cannot unmarshal string into Go struct field Outer.inner of type models.Inner"),
        (b'{"many": {}}', "json: cannot unmarshal object into Go struct field Outer.many of type []*models.Inner"),
        (b'{"name": "a\\u0000"}', "name holds a NUL character"),
        (b"[" * 100_000, "exceeded max depth"),
        (b'{"size": ' + b"9" * 5000 + b"}", "invalid number literal"),
    ],
)
def test_what_it_would_not(body: bytes, cause: str) -> None:
    message = fault(body)
    assert message.startswith('validation failure list:\nparsing thing body from "" failed, because ')
    assert cause in message


@pytest.mark.parametrize("rest", [b"x", b" and more", b"{}", b"\n]"])
def test_text_after_the_value_is_refused(rest: bytes) -> None:
    with pytest.raises(BadRequest, match="after top-level value"):
        decode(b'{"name": "a"}' + rest, Outer, "thing")


def test_a_mapping_of_its_own() -> None:
    assert decode(b'{"a": "b", "c": null}', dict[str, str], "thing") == {"a": "b", "c": ""}
    assert decode(b'{"a": [1], "c": null}', dict[str, Any], "thing") == {"a": [1], "c": None}
    with pytest.raises(Unprocessable, match="cannot unmarshal bool into Go value of type string"):
        decode(b'{"a": true}', dict[str, str], "thing")


def test_limits() -> None:
    assert fault(b'{"name": "abcdef"}').endswith("name in body should be at most 5 chars long")


@given(st.binary())
def test_no_bytes_are_more_than_refused(body: bytes) -> None:
    try:
        assert isinstance(decode(body, Outer, "thing"), Outer)
    except (Unprocessable, BadRequest):
        assert body != b"{}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["name", "size", "inner", "many", "x"]), inner),
)


@given(JSON)
def test_no_json_is_more_than_unprocessable(value: object) -> None:
    body = json.dumps(value).encode()
    try:
        assert isinstance(decode(body, Outer, "thing"), Outer)
    except Unprocessable:
        assert value is not None
