"""The certificate and the key of the TLS listener, looked at before they are used."""

import os
import ssl
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

from mooring.core.errors import StartError
from mooring.settings import Https

_FILES: Final = ("certificate", "private_key")


class Pair(NamedTuple):
    """A certificate with its chain and its key, in memory: who opens `paths` later, in this process or in one that was
    forked from it, finds what was looked at, whatever has become of the files.
    """

    certificate: BinaryIO
    key: BinaryIO

    @classmethod
    def read(cls, https: Https) -> Self:
        """Raises StartError when the certificate and key are missing, are none, or do not belong together."""
        with ExitStack() as copies:
            pair = cls(*(copies.enter_context(_copy(name, getattr(https, name))) for name in _FILES))
            _check(https, pair)
            copies.pop_all()
        return pair

    @property
    def paths(self) -> tuple[str, str]:
        """Of the certificate and of the key."""
        return f"/proc/self/fd/{self.certificate.fileno()}", f"/proc/self/fd/{self.key.fileno()}"

    def close(self) -> None:
        """Processes that were forked before keep theirs."""
        self.certificate.close()
        self.key.close()


def check(https: Https) -> None:
    """Raise StartError when the certificate and key cannot be used."""
    Pair.read(https).close()


def expiry(https: Https) -> datetime:
    """When the certificate ends."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(Path(https.certificate).read_bytes())
    return certificate.not_valid_after_utc.astimezone(UTC)


def _copy(name: str, path: str) -> BinaryIO:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise StartError(
            f"https.{name}: {path} cannot be read ({error.strerror}); put the PEM file there, or change the setting"
        ) from error
    copy = os.fdopen(os.memfd_create(name), "wb", buffering=0)
    copy.write(content)
    return copy


def _check(https: Https, pair: Pair) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*pair.paths, _no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise StartError(
                f"https.private_key: {https.private_key} is not the key of the certificate {https.certificate}; "
                "use the two files that were made together"
            ) from error
        raise StartError(
            f"https.certificate: {https.certificate} and {https.private_key} must be a certificate with its chain "
            "and its key without a password, both in PEM form"
        ) from error


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal."""
    return ""
