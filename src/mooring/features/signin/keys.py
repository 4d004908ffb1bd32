"""The installation's secrets: made once, shared by every node through the database."""

import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec import Struct
from sqlalchemy import Connection, insert, select

from mooring.features.signin.tables import secret


class Keys(Struct, frozen=True):
    """`signing` signs tokens (RSA, as PEM), `sealing` seals secrets of the configuration (Fernet), `cookie` the cookies
    of http/csrf.py (HMAC, in hex).
    """

    signing: str
    sealing: str
    cookie: str


def read_keys(connection: Connection) -> Keys | None:
    """None before `make_keys`."""
    rows = {row.name: row.value for row in connection.execute(select(secret.c.name, secret.c.value))}
    if not rows.keys() >= _MAKERS.keys():
        return None
    return Keys(signing=rows["token_key"], sealing=rows["sealing_key"], cookie=rows["cookie_key"])


def make_keys(connection: Connection) -> None:
    """Make the keys that are not there. The caller makes sure that no other node does so meanwhile."""
    known = set(connection.execute(select(secret.c.name)).scalars())
    for name in _MAKERS.keys() - known:
        connection.execute(insert(secret).values(name=name, value=_MAKERS[name]()))


def _signing_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


_MAKERS: Final[Mapping[str, Callable[[], str]]] = {
    "token_key": _signing_key,
    "sealing_key": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "cookie_key": lambda: secrets.token_hex(32),
}
