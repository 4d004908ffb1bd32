"""The installation's signing key: made once, shared by every node through the database."""

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Connection, insert, select

from mooring.features.signin.tables import secret

_NAME = "token_key"


def signing_key(connection: Connection) -> str | None:
    """The RSA key that tokens are signed with, as PEM; None before `make_signing_key`."""
    return connection.execute(select(secret.c.value).where(secret.c.name == _NAME)).scalar_one_or_none()


def make_signing_key(connection: Connection) -> None:
    """Make the key unless there is one. The caller makes sure that no other node does so meanwhile."""
    if signing_key(connection) is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        connection.execute(insert(secret).values(name=_NAME, value=pem))
