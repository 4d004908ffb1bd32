import asyncio
import base64
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.actor import ANONYMOUS, Actor
from mooring.registry.bearer import Access, Token, Tokens

ALICE = Actor(kind="user", id=7, name="alice")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("alg", "typ", "kid", "crit", "b64", "jwk", "x5c", "zip"), JSON)
)


class Accounts:
    async def named(self, name: str, token: int) -> Actor | None:
        return ALICE if name == "alice" and not token else None


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Tokens(pem, Accounts())  # type: ignore[arg-type]


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def signed(tokens: Tokens, actor: Actor, names: list[str], *, issued: float | None = None) -> str:
    access = [Access("repository", name, ["pull"]) for name in names]
    return tokens.sign(actor, access, int(time.time() if issued is None else issued), 1800)


def believed(tokens: Tokens, text: str) -> Token | None:
    header = f"Bearer {text}".encode()
    return tokens.known(header) or asyncio.run(tokens.verify(header))


def test_what_is_signed_is_verified(tokens: Tokens) -> None:
    for actor in (ALICE, ANONYMOUS):
        token = believed(tokens, signed(tokens, actor, ["p/a", "p/b/c", "q/d"]))
        assert token is not None
        assert token.actor == actor
        assert token.actions == {"p": {"pull"}, "q": {"pull"}}


@pytest.mark.parametrize(
    ("age", "is_good"), [(0, True), (1800, True), (1830, True), (1870, False), (-50, True), (-90, False)]
)
def test_clocks_may_differ_by_a_minute(tokens: Tokens, age: int, is_good: bool) -> None:
    token = signed(tokens, ALICE, ["p/a"], issued=time.time() - age)
    for _ in range(2):  # verified, and remembered
        assert (believed(tokens, token) is not None) == is_good


def test_an_account_that_is_gone_or_another_has_no_token(tokens: Tokens) -> None:
    for actor in (Actor(kind="user", id=7, name="bob"), Actor(kind="user", id=8, name="alice")):
        assert believed(tokens, signed(tokens, actor, ["p/a"])) is None


@given(st.text() | st.lists(st.text("abcdefghijklmnopqrstuvwxyz0123456789-_=", max_size=9), max_size=5).map(".".join))
def test_any_text_is_refused_quietly(tokens: Tokens, text: str) -> None:
    assert believed(tokens, text) is None


@given(HEADERS | JSON, JSON, st.booleans())
def test_any_header_and_claims_are_refused_quietly(tokens: Tokens, header: Any, claims: Any, is_ours: bool) -> None:
    own = signed(tokens, ALICE, ["p/a"]).split(".")
    text = f"{part(header)}.{own[1] if is_ours else part(claims)}.{own[2]}"
    assert believed(tokens, text) is None
