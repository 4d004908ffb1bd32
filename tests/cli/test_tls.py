"""TLS: from files, reloaded without a failed request, the plain port pointing to it, and behind nginx both ways."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import trustme

from tests.cli.conftest import Mooring, name
from tests.parts.client import Client
from tests.parts.process import Process, answers, free_port, wait_for
from tests.parts.server import PASSWORD, descendants


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    """Trusts our certificates and nobody else's."""
    context = ssl.create_default_context()
    context.load_default_certs()
    authority.configure_trust(context)
    return context


@pytest.fixture
def port(mooring: Mooring, certify: Callable[[], None]) -> int:
    """The TLS port of the settings, with a certificate written for it."""
    certify()
    port = free_port()
    mooring.settings |= {
        "MOORING_ADMIN_PASSWORD": PASSWORD,
        "MOORING_HTTPS__HOST": "127.0.0.1",
        "MOORING_HTTPS__PORT": str(port),
        "MOORING_HTTPS__CERTIFICATE": str(mooring.folder / "tls.crt"),
        "MOORING_HTTPS__PRIVATE_KEY": str(mooring.folder / "tls.key"),
    }
    return port


def serial(port: int, context: ssl.SSLContext) -> str:
    """Which certificate a new connection meets."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=60)
    with plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        certificate = connection.getpeercert()
        assert certificate
        return str(certificate["serialNumber"])


def test_tls_1_2_and_1_3_and_nothing_older(mooring: Mooring, port: int, context: ssl.SSLContext) -> None:
    log = mooring.serve().log()
    assert f"answers at https://localhost:{port}" in log
    assert "--tls-verify=false" not in log
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version
        assert (
            Client(f"https://localhost:{port}", "admin", PASSWORD, tls=context).api("GET", "/users/current").status
            == 200
        )
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        serial(port, old)


def test_the_plain_port_points_to_tls(mooring: Mooring, port: int) -> None:
    mooring.serve()
    client = Client(f"http://{mooring.host}")
    answer = client.send("POST", "/v2/library/a%2Fb/blobs/uploads/?mount=x&y=%20", b"")
    assert answer.status == 308
    assert answer.headers["Location"] == f"https://127.0.0.1:{port}/v2/library/a%2Fb/blobs/uploads/?mount=x&y=%20"
    assert (
        client.send("GET", "/", headers={"Host": "evil.example/@"}).headers["Location"] == f"https://localhost:{port}/"
    )
    with socket.create_connection(("127.0.0.1", mooring.port)) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_sighup_reloads_the_certificate_and_no_request_fails(
    mooring: Mooring, port: int, context: ssl.SSLContext, certify: Callable[[], None]
) -> None:
    server = mooring.serve()
    client = Client(f"https://localhost:{port}", tls=context)
    before = serial(port, context)

    def web() -> list[int]:
        return [child for child in descendants(server.popen.pid) if name(child) == "mooring web"]

    wait_for(lambda: len(web()) == len(os.sched_getaffinity(0)), "every web process to have its name")
    old = web()
    done = threading.Event()
    seen: list[int] = []
    failures: list[Exception] = []

    def ask() -> None:
        while not done.is_set():
            try:
                seen.append(client.send("GET", "/v2/").status)
            except (OSError, ValueError) as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    certify()
    server.popen.send_signal(signal.SIGHUP)
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in old), "the old processes to end")
    wait_for(lambda: len(seen) > 20, "enough requests")
    done.set()
    for thread in threads:
        thread.join()
    assert serial(port, context) != before
    assert failures == []
    assert set(seen) == {401}


def test_a_certificate_that_cannot_be_used_is_not_reloaded(
    mooring: Mooring, port: int, context: ssl.SSLContext
) -> None:
    server = mooring.serve()
    before = serial(port, context)
    (mooring.folder / "tls.key").write_text("hello")
    server.popen.send_signal(signal.SIGHUP)
    wait_for(lambda: "not reloaded" in server.log(), "the refusal")
    assert serial(port, context) == before
    old = [child for child in descendants(server.popen.pid) if name(child) == "mooring web"]
    for child in old:
        os.kill(child, signal.SIGKILL)
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in old), "the processes to be missed")
    assert serial(port, context) == before


@contextlib.contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[int]:
    """nginx with TLS in front of an address, as its documentation has it; the port."""
    if not shutil.which("nginx"):
        pytest.skip("nginx is not on this machine; `make tools` as root sets it up")
    port = free_port()
    text = f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
        events {{}}
        http {{
          access_log off; client_max_body_size 0; proxy_request_buffering off; proxy_buffering off;
          client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
          fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
          server {{
            listen 127.0.0.1:{port} ssl; server_name registry.example;
            ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key;
            location / {{
              proxy_pass {upstream}; proxy_http_version 1.1; proxy_ssl_verify off;
              proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Host $http_host;
              proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            }}
          }}
        }}
    """
    (folder / "nginx.conf").write_text(dedent(text))
    process = Process(["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"], folder / "nginx.log")
    wait_for(lambda: answers(port), "nginx", process=process)
    yield port
    process.stop()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_behind_nginx(mooring: Mooring, port: int, context: ssl.SSLContext, scheme: str) -> None:
    if scheme == "http":
        mooring.settings = {name: value for name, value in mooring.settings.items() if "HTTPS" not in name}
    mooring.serve()
    inner = mooring.port if scheme == "http" else port
    with nginx(mooring.folder, f"{scheme}://127.0.0.1:{inner}") as outer:
        client = Client(f"https://localhost:{outer}", "admin", PASSWORD, tls=context)
        challenge = client.send("GET", "/v2/").headers["WWW-Authenticate"]
        assert f'realm="https://localhost:{outer}/service/token"' in challenge
        begun = client.send("POST", "/v2/library/hello/blobs/uploads/", b"", client.basic())
        assert begun.status == 202
        assert begun.headers["Location"].startswith(f"https://localhost:{outer}/v2/library/hello/blobs/uploads/")
        assert client.send("PATCH", begun.headers["Location"], b"hello", client.basic()).status == 202
