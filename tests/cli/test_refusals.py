"""What stops a start: one sentence each, which says what to do."""

import json
import os
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Mooring
from tests.parts.process import free_port
from tests.parts.server import PASSWORD, descendants


def test_a_port_that_is_taken(mooring: Mooring, tmp_path: Path) -> None:
    server = mooring.serve()
    sentence = mooring.refuses("--data", tmp_path / "other")
    assert sentence.startswith(f"port {mooring.port} is taken by ")
    holder = re.search(r"\(process (\d+)\)", sentence)
    assert holder
    assert int(holder[1]) in (server.popen.pid, *descendants(server.popen.pid))
    assert sentence.endswith("stop that, or choose another port with --port or http.port")


def test_a_folder_that_another_server_holds(mooring: Mooring) -> None:
    server = mooring.serve()
    sentence = mooring.refuses("--port", str(free_port()))
    assert sentence == (
        f"the data folder {mooring.data} is in use by another Mooring (process {server.popen.pid}); "
        "stop that one, or give this one a folder of its own with --data"
    )


def test_a_folder_that_is_a_file(mooring: Mooring) -> None:
    mooring.data.write_text("")
    assert (
        mooring.refuses() == f"the data folder {mooring.data} is a file or lies below one; choose another with --data"
    )


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to become somebody else")
def test_a_folder_that_is_not_ours(mooring: Mooring) -> None:
    mooring.data.mkdir(mode=0o700)
    for folder in [mooring.folder, *mooring.folder.parents]:
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    fault = "is not ours to write; give it to user 65534 with chown, or choose another with --data"
    assert mooring.refuses(user=nobody) == f"the data folder {mooring.data} {fault}"


def test_a_database_that_is_newer_than_the_program(mooring: Mooring) -> None:
    assert mooring.run("migrate").returncode == 0
    with sqlite3.connect(mooring.data / "mooring.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    sentence = mooring.refuses()
    assert sentence.startswith("the database is at schema 9999, which is newer than this program knows; install")


def test_a_database_that_does_not_answer(mooring: Mooring) -> None:
    port = free_port()
    mooring.settings["MOORING_DATABASE__URL"] = f"postgresql://mooring:secret-word@127.0.0.1:{port}/mooring"
    sentence = mooring.refuses()
    assert sentence.startswith("the database does not answer: ")
    assert str(port) in sentence
    assert "secret-word" not in sentence
    assert sentence.endswith("see that it runs, or change database.url")


def test_a_wrong_value_in_a_file(mooring: Mooring) -> None:
    (mooring.folder / "mooring.yml").write_text("hostname: localhost\nlog:\n  level: loud\n")
    sentence = mooring.refuses("--config", "mooring.yml")
    assert sentence == ("mooring.yml line 3: log.level is 'loud'; allowed is one of debug, error, fatal, info, warning")


def test_a_wrong_value_in_the_environment(mooring: Mooring) -> None:
    mooring.settings["MOORING_HTTP__PORT"] = "eighty"
    assert mooring.refuses() == (
        "environment MOORING_HTTP__PORT: http.port is 'eighty'; allowed is a number from 1 to 65535"
    )


def https(mooring: Mooring, certificate: str = "tls.crt", key: str = "tls.key") -> None:
    mooring.settings |= {
        "MOORING_HTTPS__HOST": "127.0.0.1",
        "MOORING_HTTPS__PORT": str(free_port()),
        "MOORING_HTTPS__CERTIFICATE": str(mooring.folder / certificate),
        "MOORING_HTTPS__PRIVATE_KEY": str(mooring.folder / key),
    }


def test_a_certificate_that_is_not_there(mooring: Mooring) -> None:
    https(mooring)
    sentence = mooring.refuses()
    assert sentence.startswith(
        f"https.certificate: {mooring.folder}/tls.crt cannot be read (No such file or directory)"
    )


def test_a_key_of_another_certificate(mooring: Mooring, certify: Callable[[], None]) -> None:
    certify()
    (mooring.folder / "old.key").write_bytes((mooring.folder / "tls.key").read_bytes())
    certify()
    https(mooring, key="old.key")
    assert "old.key is not the key of the certificate" in mooring.refuses()


def test_a_certificate_that_is_none(mooring: Mooring, certify: Callable[[], None]) -> None:
    certify()
    (mooring.folder / "tls.crt").write_text("hello")
    https(mooring)
    assert "must be a certificate with its chain and its key without a password, both in PEM form" in mooring.refuses()


def test_a_web_process_that_cannot_start(mooring: Mooring) -> None:
    mooring.settings["MOORING_LOG__FORMAT"] = "json"
    mooring.serve().stop()
    connection = sqlite3.connect(mooring.data / "mooring.db")
    connection.execute("UPDATE secret SET value = 'no key' WHERE name = 'token_key'")
    connection.commit()
    connection.close()
    ended = mooring.run("serve")
    assert ended.returncode == 1
    assert ended.stderr == "mooring: a web process ended before it could answer; what it logged above says why\n"
    assert "a web process cannot start" in {json.loads(line)["event"] for line in ended.stdout.splitlines()}


def test_an_address_that_this_machine_has_not(mooring: Mooring) -> None:
    mooring.settings["MOORING_HTTP__HOST"] = "192.0.2.1"
    assert mooring.refuses() == "this machine has no address 192.0.2.1; choose another with http.host"


def test_metrics_over_tls_without_a_certificate_or_on_a_port_that_is_taken(mooring: Mooring) -> None:
    mooring.settings |= {"MOORING_METRIC__ENABLED": "true", "MOORING_METRIC__TLS": "true"}
    assert mooring.refuses() == "metric.tls needs a certificate; give the section https, or leave metric.tls out"
    mooring.settings |= {"MOORING_METRIC__TLS": "false", "MOORING_METRIC__HOST": "127.0.0.1"}
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        mooring.settings["MOORING_METRIC__PORT"] = str(port)
        assert mooring.refuses().startswith(f"port {port} is taken by ")


def test_a_bucket_that_does_not_answer(mooring: Mooring) -> None:
    mooring.settings |= {
        "MOORING_ADMIN_PASSWORD": PASSWORD,
        "MOORING_STORAGE__KIND": "s3",
        "MOORING_STORAGE__BUCKET": "layers",
        "MOORING_STORAGE__ENDPOINT": f"http://127.0.0.1:{free_port()}",
        "MOORING_STORAGE__REGION": "here",
        "MOORING_STORAGE__ACCESS_KEY": "key",
        "MOORING_STORAGE__SECRET_KEY": "word",
    }
    assert "127.0.0.1" in mooring.refuses()
