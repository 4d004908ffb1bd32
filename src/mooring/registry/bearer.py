"""Bearer tokens: RS256, with the claims that Harbor's token service gives (Docker token specification).

Verifying one costs more than the whole rest of a pull, and clients send the same one again and again, so a verified
token is kept until it expires.
"""

import base64
import hashlib
import secrets
import string
import time
from typing import Any, Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from msgspec import Struct

from mooring.core.actor import Actor
from mooring.features.signin.service import SignIn

ISSUER: Final = "harbor-token-issuer"
SERVICE: Final = "harbor-registry"
LEEWAY: Final = 60  # seconds that clocks may differ
_LETTERS: Final = string.ascii_letters + string.digits
_RANDOM: Final = 6  # letters of a token's id that are made up
_ACCOUNT: Final = 16  # letters of it to the end of those that stand for the account
_KEPT: Final = 4096  # verified tokens a process remembers
_LONG: Final = 2048  # bytes of a header that is remembered by its hash instead
_EVERYTHING: Final = frozenset({"pull", "push", "delete"})


class Access(Struct, frozen=True):
    """What a token grants on one resource."""

    type: str
    name: str
    actions: list[str]


class Token(Struct, frozen=True):
    """A verified token: whose, since when, and the actions it grants by the project's name."""

    actor: Actor
    issued: int  # seconds since the epoch
    expires: int
    actions: dict[str, frozenset[str]]


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    """The header that we sign with. joserfc is shown no other: it trips over members of the wrong type."""

    alg: Literal["RS256"]
    typ: str = ""
    kid: str = ""


class _Claims(Struct, frozen=True):
    iss: str
    aud: str | list[str]
    exp: int
    iat: int
    nbf: int = 0
    sub: str = ""
    jti: str = ""
    access: list[Access] | None = None


class Tokens:
    """Signs and verifies with the installation's key. One for each process."""

    def __init__(self, private_key: str, signin: SignIn) -> None:
        """`private_key` is PEM."""
        self._key = RSAKey.import_key(private_key)
        self._header: Final = {"alg": "RS256", "typ": "JWT", "kid": key_id(self._key.public_key)}
        self._signin = signin
        self._verified: dict[bytes, Token] = {}

    def sign(self, actor: Actor, access: list[Access], issued: int, lifetime: int) -> str:
        """A token for an account, for so many seconds: its subject is the full name, as clients expect, and none for
        nobody.
        """
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": SERVICE,
            "exp": issued + lifetime,
            "nbf": issued,
            "iat": issued,
            "jti": _token_id(actor),
            "access": msgspec.to_builtins(access),
        }
        if not actor.is_anonymous:
            claims["sub"] = actor.name
        return jwt.encode(self._header, claims, self._key, algorithms=["RS256"])

    def known(self, header: bytes) -> Token | None:
        """The token in an Authorization header that was verified before and is still in time."""
        token = self._verified.get(_key(header))
        if token is not None and token.expires + LEEWAY <= time.time():
            self._verified.pop(_key(header), None)
            return None
        return token

    async def verify(self, header: bytes) -> Token | None:
        """The token in an Authorization header if it is ours, in time, and of an account that exists; rights of
        projects are for the caller to compare.
        """
        token = await self._decode(header[7:].decode("latin-1").strip())
        if token is None or token.expires + LEEWAY <= time.time():
            return None
        while len(self._verified) >= _KEPT:
            del self._verified[next(iter(self._verified))]
        self._verified[_key(header)] = token
        return token

    async def _decode(self, text: str) -> Token | None:
        header = text.partition(".")[0]
        try:
            msgspec.json.decode(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)), type=_Header)
            decoded = jwt.decode(text, self._key, algorithms=["RS256"])
            claims = msgspec.convert(decoded.claims, _Claims)
        except (JoseError, ValueError, msgspec.MsgspecError):
            return None
        audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != ISSUER or SERVICE not in audience or claims.nbf > time.time() + LEEWAY:
            return None
        personal = claims.jti[_ACCOUNT:]
        number = int(personal) if personal.isdecimal() else 0
        actor = await self._signin.named(claims.sub, number) if claims.sub else Actor()
        if actor is None or claims.jti[_RANDOM:] != _token_id(actor)[_RANDOM:]:
            return None
        return Token(actor, claims.iat, claims.exp, _by_project(claims.access or []))


def _key(header: bytes) -> bytes:
    return header if len(header) <= _LONG else hashlib.sha256(header).digest()


def _token_id(actor: Actor) -> str:
    """16 letters and digits, as Harbor's. The last ones stand for the account as it is: neither another one that has
    the name later, nor the same with another secret, has use of the token. What a personal token was sent for has its
    number too, and ends with it alone.
    """
    random = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    version = 0 if actor.scope else actor.version
    account = hashlib.sha256(f"{actor.kind} {actor.id} {version}".encode()).hexdigest()[: _ACCOUNT - _RANDOM]
    return random + account + (f"{actor.scope.token:010}" if actor.scope else "")


def _by_project(access: list[Access]) -> dict[str, frozenset[str]]:
    """Rights are the project's, as in Harbor: clients rely on one token for every repository in it."""
    actions: dict[str, frozenset[str]] = {}
    for one in access:
        project, slash, _ = one.name.partition("/")
        if one.type == "repository" and slash:
            granted = frozenset(one.actions)
            actions[project] = actions.get(project, frozenset()) | (_EVERYTHING if "*" in granted else granted)
    return actions


def key_id(key: RSAPublicKey) -> str:
    """The key's id as libtrust writes it, which registries look keys up by: 240 bits of SHA-256 in base32, in twelve
    groups of four.
    """
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[at : at + 4] for at in range(0, len(text), 4))
