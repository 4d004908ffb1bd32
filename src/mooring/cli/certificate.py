"""The certificate and the key of the TLS listener, looked at before they are used."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from mooring.core.errors import StartError
from mooring.settings import Https


def check(https: Https) -> None:
    """Raise StartError when the certificate and key are missing, are none, or do not belong together."""
    for name, path in (("certificate", https.certificate), ("private_key", https.private_key)):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise StartError(
                f"https.{name}: {path} cannot be read ({error.strerror}); put the PEM file there, or change the setting"
            ) from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(https.certificate, https.private_key, _no_password)
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


def expiry(https: Https) -> datetime:
    """When the certificate ends."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(Path(https.certificate).read_bytes())
    return certificate.not_valid_after_utc.astimezone(UTC)


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal."""
    return ""
