"""Who signs the tokens that the peers believe: they trust a certificate, and clients bring tokens of its key."""

import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

from mooring.registry.bearer import key_id

ISSUER: Final = "bench-issuer"
SERVICE: Final = "bench-registry"
_LIFETIME: Final = 86_400  # seconds; a run is over long before


class Authority:
    """A signing key with its certificate, and a TLS certificate for 127.0.0.1, both in the folder."""

    def __init__(self, folder: Path) -> None:
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        self._key = RSAKey.import_key(key)
        self.bundle: Final = folder / "tokens.pem"
        self.bundle.write_bytes(_self_signed(key))
        self.certificate: Final = folder / "tls.pem"
        self.private_key: Final = folder / "tls.key"
        issued = trustme.CA().issue_cert("127.0.0.1", "localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(str(self.certificate))
        issued.private_key_pem.write_to_path(str(self.private_key))

    def token(self, repositories: Iterable[str], *, libtrust: bool) -> str:
        """A token to pull and push; version 2 knows keys by libtrust's id, version 3 by their thumbprint."""
        issued = int(time.time()) - 60
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": SERVICE,
            "sub": "bench",
            "exp": issued + _LIFETIME,
            "nbf": issued,
            "iat": issued,
            "jti": secrets.token_hex(8),
            "access": [{"type": "repository", "name": name, "actions": ["pull", "push"]} for name in repositories],
        }
        kid = key_id(self._key.public_key) if libtrust else self._key.thumbprint()
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": kid}, claims, self._key, algorithms=["RS256"])


def _self_signed(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)
