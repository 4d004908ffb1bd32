"""Patterns against Go doublestar's own table, and against what a pattern could do to us."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.glob import MAX_LENGTH, BadPattern, Glob

MATCHES = [
    ("", "anything/at/all"),
    ("abc", "abc"),
    ("*", "abc"),
    ("*c", "abc"),
    ("a*", "a"),
    ("a*/b", "abc/b"),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/f"),
    ("a*b?c*x", "abxbbxdbxebxczzx"),
    ("ab[b-d]", "abc"),
    ("ab[^e-g]", "abc"),
    ("a?b", "a☺b"),
    ("a[^a]b", "a☺b"),
    ("[a-ζ]*", "\u03b1"),
    ("[\\]a]", "]"),
    ("[x\\-]", "-"),
    ("[!a]", "!"),
    ("[[:alpha]", ":"),
    ("*x", "xxx"),
    ("**", "a"),
    ("**", "a/b"),
    ("a/**", "a/b"),
    ("a/**", "a/b/c"),
    ("**/c", "c"),
    ("**/c", "a/b/c"),
    ("a/**/b", "a/b"),
    ("a/**/d", "a/b/c/d"),
    ("**/a/**/c/**", "x/a/b/a/c/d"),
    ("a**b", "axb"),
    ("ab{c,d}", "abc"),
    ("ab{c,d,*}", "abcde"),
    ("{a,b/{c,d}}", "b/d"),
    ("{rel-*,v[0-9]*}", "v1"),
    ("v{1..3}", "v1..3"),
    ("{a}", "a"),
    ("a}", "a}"),
    ("\\{a,b\\}", "{a,b}"),
    ("v1.0", "v1.0"),
    ("_*", "_x"),
]
DIFFERS = [
    ("abc", "ABC"),
    ("a*", "ab/c"),
    ("a*/b", "a/c/b"),
    ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f"),
    ("a\\*b", "ab"),
    ("a???b", "a☺b"),
    ("*[a-ζ]", "A"),
    ("a?b", "a/b"),
    ("a**b", "a/b"),
    ("[!a]", "b"),
    ("[\\-x]", "a"),
    ("**/c", "a/abc"),
    ("a/**", "a"),
    ("a/**", "ab/c"),
    ("a/\\**", "a/b/c"),
    ("v{1..3}", "v2"),
    ("{a}", "{a}"),
    ("{a,b}", "{a,b}"),
    ("!v*", "w1"),
    ("v1.0", "v1x0"),
]


@pytest.mark.parametrize(("pattern", "name"), MATCHES)
def test_what_a_pattern_matches(pattern: str, name: str) -> None:
    assert Glob(pattern).matches(name)


@pytest.mark.parametrize(("pattern", "name"), DIFFERS)
def test_what_it_does_not(pattern: str, name: str) -> None:
    assert not Glob(pattern).matches(name)


@pytest.mark.parametrize(
    "pattern",
    ["[", "[^", "[^bc", "[]a]", "ab{c,d}[", "\\", "a\\", "{a", "{a,{b}", "[a\\", "{" * 9, "{a,b}" * 7, "x" * 1025],
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(BadPattern):
        Glob(pattern)


@pytest.mark.parametrize(
    ("pattern", "name"), [("**/a/" * 40 + "b", "a/" * 127 + "a"), ("*a" * 60 + "*b", "a" * 128)], ids=["**", "*"]
)
def test_no_pattern_takes_long(pattern: str, name: str) -> None:
    made = Glob(pattern)
    started = time.process_time()
    assert not made.matches(name)
    assert time.process_time() - started < 0.5


@given(st.text(alphabet="ab/*?[]{},^!-\\", max_size=20), st.text(alphabet="ab/", max_size=12))
def test_a_pattern_is_refused_or_answers(pattern: str, name: str) -> None:
    with contextlib.suppress(BadPattern):
        assert Glob(pattern).matches(name) in (True, False)


@given(st.text(max_size=MAX_LENGTH // 2))
def test_an_escaped_name_matches_itself_alone(name: str) -> None:
    escaped = "".join(f"\\{character}" if character != "/" else character for character in name)
    assert Glob(escaped).matches(name)
    assert not Glob(escaped).matches(name + "x") or not name
