"""Listens to the whole test run and tells afterwards whether a secret came out where none may.

Secrets are what clients sign in with, what they send as passwords, and what the server hands out once: a robot's
secret, a token, a cookie. The answer that hands one out is the only place where it may stand; nothing else may have it,
be it an answer or a log.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.parts.client import Answer, Body, Client
from tests.parts.process import Process
from tests.parts.server import Server

_NAMED = re.compile(r"(?:.*_)?(?:password|secret|token|secret_key)", re.IGNORECASE)
_GIVEN = frozenset({"secret", "token", "access_token"})
_TEXT = re.compile(r"application/(?:.*\+)?json|text/", re.IGNORECASE)
_LONGEST = 1 << 20  # bytes of an answer that are looked at
_SHORTEST = 10
_KNOWN = "Harbor12345"  # Harbor's default, which the log warns of
_ONCE = "(shown this once)"  # how the first start tells the password that it made


class Watch:
    """What was said in the run, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._secrets: set[str] = set()
        self._answers = folder / "answers"
        self._logs: set[Path] = set()
        self._patterns = folder / "secrets"
        self._answers.touch()

    def attach(self, patch: pytest.MonkeyPatch) -> None:
        """Listen to every client, server and process from now on."""
        open_client, send, start_server, start = Client.__init__, Client.send, Server.__init__, Process.__init__

        def watched_client(client: Client, url: str, username: str = "", password: str = "", **options: Any) -> None:
            self.keep(password)
            open_client(client, url, username, password, **options)
            self.keep(client.basic().get("Authorization", "").removeprefix("Basic "))

        def watched_send(
            client: Client, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None
        ) -> Answer:
            answer = send(client, method, path, body, headers)
            self.hear(method, path, body, answer)
            return answer

        def watched_server(server: Server, folder: Path, **options: Any) -> None:
            for name, value in (options.get("environment") or {}).items():
                if _NAMED.fullmatch(name):
                    self.keep(value)
            start_server(server, folder, **options)

        def watched_process(process: Process, command: Any, log: Path, **options: Any) -> None:
            self._logs.add(log)
            start(process, command, log, **options)

        patch.setattr(Client, "__init__", watched_client)
        patch.setattr(Client, "send", watched_send)
        patch.setattr(Server, "__init__", watched_server)
        patch.setattr(Process, "__init__", watched_process)

    def keep(self, secret: str) -> None:
        """Look for the secret. What is short would be found everywhere."""
        if len(secret) >= _SHORTEST and secret.isprintable() and secret != _KNOWN:
            self._secrets.add(secret)

    def hear(self, method: str, path: str, body: Body, answer: Answer) -> None:
        """Keep the secrets that went and came, and the answer without those that it is there to hand out."""
        if isinstance(body, bytes):
            for secret in _sent(body):
                if _is_password(secret):
                    self.keep(secret)
        kind = answer.headers.get("Content-Type", "")
        text = answer.body[:_LONGEST].decode("utf-8", "replace") if _TEXT.match(kind) else ""
        for secret in _handed_out(method, path, text, answer):
            self.keep(secret)
            text = text.replace(secret, "***")
        for cookie in answer.headers.get_all("Set-Cookie", ()):
            self.keep(cookie.partition(";")[0].partition("=")[2])
        headers = [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "set-cookie"]
        words = [method, path.partition("?")[0], str(answer.status), *headers, text]
        with self._answers.open("a") as answers:
            answers.write(" ".join(" ".join(words).split()) + "\n")

    def follow(self, log: Path) -> None:
        """Look into this log too."""
        self._logs.add(log)

    def leaks(self) -> list[str]:
        """Every line of an answer or log that holds a secret, with the name of its file."""
        logs = [log for log in self._logs if log.exists()]
        if not self._secrets:
            return []
        self._patterns.write_text("\n".join(sorted(self._secrets)))
        command = ["grep", "--fixed-strings", "--text", "--with-filename", f"--file={self._patterns}"]
        found = subprocess.run([*command, self._answers, *logs], capture_output=True, check=False)
        if found.returncode > 1:
            raise RuntimeError(found.stderr.decode())
        lines = found.stdout.decode(errors="replace").splitlines()
        return [line[:1000] for line in lines if not line.endswith(_ONCE)]


def _is_password(text: str) -> bool:
    """Whether the policy for passwords could let it pass; tests send other words in its place."""
    return any(letter.isupper() for letter in text) and any(letter.isdigit() for letter in text)


def _sent(body: bytes) -> Iterator[str]:
    """The secrets in a JSON body or form."""
    try:
        value = json.loads(body[:_LONGEST])
    except RecursionError:
        return
    except ValueError:
        if body.isascii() and len(body) < _LONGEST:
            yield from (text for name, text in parse_qsl(body.decode()) if _NAMED.fullmatch(name))
    else:
        yield from _members(value)


def _members(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str) and _NAMED.fullmatch(name):
                yield member
            yield from _members(member)
    elif isinstance(value, list):
        for member in value:
            yield from _members(member)


def _handed_out(method: str, path: str, text: str, answer: Answer) -> Iterator[str]:
    """The secrets that the answer is there to tell: of what was made or renewed, and of the token service."""
    is_made = method in ("POST", "PATCH") and answer.status in (200, 201)
    if is_made or path.startswith("/service/token"):
        try:
            value = json.loads(text)
        except ValueError:
            return
        if isinstance(value, dict):
            yield from (value[name] for name in _GIVEN & value.keys() if isinstance(value[name], str))
