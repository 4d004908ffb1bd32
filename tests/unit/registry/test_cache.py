from hypothesis import given
from hypothesis import strategies as st

from mooring.core.reference import digest_of
from mooring.registry.cache import ByteCache

CONTENTS = st.lists(st.binary(max_size=30), max_size=60)


@given(CONTENTS, st.integers(0, 100))
def test_it_never_holds_more_than_its_limit_and_never_the_wrong_bytes(contents: list[bytes], limit: int) -> None:
    cache = ByteCache(limit)
    for content in contents:
        cache.put(digest_of(content), content)
        held = [cache.get(digest_of(each)) for each in set(contents)]
        assert sum(len(each) for each in held if each is not None) <= limit
        assert cache.get(digest_of(content)) in (content, None if len(content) > limit else content)
    for content in contents:
        assert cache.get(digest_of(content)) in (None, content)


def test_the_least_lately_used_goes_first() -> None:
    cache = ByteCache(30)
    for name in "abc":
        cache.put(name, name.encode() * 10)
    assert cache.get("a") == b"a" * 10
    cache.put("d", b"d" * 10)
    assert cache.get("b") is None
    assert [cache.get(name) for name in "acd"] == [name.encode() * 10 for name in "acd"]


def test_what_is_larger_than_all_displaces_nothing() -> None:
    cache = ByteCache(10)
    cache.put("a", b"a" * 10)
    cache.put("b", b"b" * 11)
    assert cache.get("a") == b"a" * 10
    assert cache.get("b") is None
