import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.reference import (
    ALGORITHMS,
    MAX_NAME,
    algorithm,
    digest_fault,
    digest_of,
    is_digest,
    is_project,
    is_repository,
    is_tag,
)

WORD = st.text("abcxyz019", min_size=1, max_size=4)
SEPARATOR = st.sampled_from([".", "_", "__", "-", "--", "-----"])
COMPONENT = st.lists(st.tuples(WORD, SEPARATOR), max_size=3).flatmap(
    lambda pairs: WORD.map(lambda last: "".join(word + separator for word, separator in pairs) + last)
)
NAMES = st.lists(COMPONENT, min_size=2, max_size=5).map("/".join)
# The grammar of the OCI distribution specification, "Pulling manifests", word for word.
SPECIFIED = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


@given(NAMES)
def test_names(name: str) -> None:
    assert is_repository(name) == (len(name) <= MAX_NAME)


@given(st.text("ab0._-/A \0\n:%", max_size=12) | st.text(max_size=12))
def test_names_are_what_the_specification_says(name: str) -> None:
    assert is_repository(name) == (SPECIFIED.fullmatch(name) is not None and "/" in name)


@pytest.mark.parametrize(
    "name", ["a/b\n", "a/b/", "/a/b", "a//b", "a", "", "a/..", "a/\u0430", "a/\u0661", "x" * 128 + "/" + "y" * 127]
)
def test_names_that_are_none(name: str) -> None:
    assert not is_repository(name)


@given(st.text("abz019", min_size=1, max_size=300))
def test_a_name_of_one_part_is_a_project(name: str) -> None:
    assert is_project(name) == (len(name) <= MAX_NAME)
    assert not is_repository(name)


@pytest.mark.parametrize("name", ["a__b", "a--b", "a.-b", "-a", "a-", "A", "a\n", ""])
def test_projects_that_are_none(name: str) -> None:
    assert not is_project(name)


@given(st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", fullmatch=True))
def test_tags(tag: str) -> None:
    assert is_tag(tag)
    assert not is_tag(tag + "/")
    assert not is_tag(tag + "\n")
    assert not is_tag("." + tag)
    assert not is_tag(tag + "x" * (129 - len(tag)))


@given(st.binary(), st.sampled_from(sorted(ALGORITHMS)))
def test_digests(content: bytes, name: str) -> None:
    digest = digest_of(content, name)
    assert is_digest(digest)
    assert algorithm(digest) == name
    assert len(digest) == len(name) + 1 + ALGORITHMS[name]
    for wrong in (digest[:-1], digest + "0", digest + "\n", digest.upper(), " " + digest, digest.replace(":", "")):
        assert not is_digest(wrong)


@given(st.text(max_size=80) | st.text("sha256:0af", max_size=80))
def test_what_is_no_digest_has_a_fault(text: str) -> None:
    assert is_digest(text) or digest_fault(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sha256", "invalid checksum digest format"),
        ("sha256:", "invalid checksum digest format"),
        ("md5:" + "0" * 32, "unsupported digest algorithm"),
        ("sha256:0", "invalid checksum digest length"),
        ("sha256:" + "A" * 64, "invalid checksum digest format"),
    ],
)
def test_faults(text: str, fault: str) -> None:
    assert digest_fault(text) == fault
