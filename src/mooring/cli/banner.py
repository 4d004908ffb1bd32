"""What a person sees when the server answers: where it is, who they are, and how to log in, push and pull."""

import socket
import ssl
import time
from typing import Final

from mooring import __version__
from mooring.settings import Settings

_REQUEST: Final = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def address(settings: Settings) -> str:
    """The address that clients on this machine, or those that the settings speak of, reach the server at."""
    scheme = settings.external_url.partition("://")[0] or ("https" if settings.https else "http")
    return f"{scheme}://{settings.external_host}"


def text(settings: Settings, password: str) -> str:
    """The text. The password is shown when it was made up just now; it is kept nowhere in clear."""
    url = address(settings)
    host = url.partition("://")[2]
    plain = " --tls-verify=false" if url.startswith("http://") else ""
    said = password or "as set at the first start; `mooring user password admin` sets another"
    return f"""
Mooring {__version__} answers at {url}

  administrator  admin
  password       {said}{"  (shown this once)" if password else ""}

  docker login {host} --username admin
  docker push {host}/library/hello:latest
  docker pull {host}/library/hello:latest

  podman login{plain} {host} --username admin
  podman push{plain} {host}/library/hello:latest
  podman pull{plain} {host}/library/hello:latest
"""


def sentence(settings: Settings, password: str) -> str:
    """The same in one line, for a log that machines read."""
    said = f", password {password} (shown this once)" if password else ""
    return f"Mooring {__version__} answers at {address(settings)}; administrator admin{said}"


def wait_for_answer(settings: Settings) -> None:
    """Return when the server has answered a request of ours, whatever it said."""
    while not answers(settings):
        time.sleep(0.02)


def answers(settings: Settings) -> bool:
    """Whether something that speaks HTTP answers at the settings' own address."""
    try:
        with socket.create_connection(settings.own_address, timeout=30) as plain:
            connection = _unverified(plain) if settings.https else plain
            connection.sendall(_REQUEST)
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


def _unverified(plain: socket.socket) -> ssl.SSLSocket:
    """TLS to ourselves, whose certificate names the outside."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)
