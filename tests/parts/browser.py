"""A browser: it keeps cookies, and shows the token against forged requests as Harbor's portal does."""

import json
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tests.parts.client import Answer, Client, expect
from tests.parts.server import Server

CSRF = "X-Harbor-CSRF-Token"


class Browser:
    """Somebody in front of a page, signed in to nothing yet."""

    def __init__(self, server: Server) -> None:
        self._client = Client(server.url)
        self.cookies: dict[str, str] = {}
        self.token = ""

    def open(self) -> "Browser":
        """What a page does first: the first answer brings `sid`, the second the token."""
        for _ in range(2):
            expect(self.api("GET", "/systeminfo"), 200)
        return self

    def sign_in(self, username: str, password: str) -> Answer:
        """Send the form of the page. A browser that has not opened the page does so first."""
        if not self.token:
            self.open()
        return self.post("/c/login", principal=username, password=password)

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urlencode(fields).encode(), kind)

    def api(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A call of the control API, as the page makes it."""
        kind = {} if body is None else {"Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return self.send(method, "/api/v2.0" + path, data, kind | dict(headers or {}))

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with the cookies; what the answer sets is kept."""
        own = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        shown = {CSRF: self.token} if self.token and method not in ("GET", "HEAD") else {}
        answer = self._client.send(method, path, body, own | shown | dict(headers or {}))
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        self.token = answer.headers.get(CSRF, self.token)
        return answer
