"""A real receiver of webhooks: it keeps what it is sent, and answers as the path says."""

import http.server
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Received(NamedTuple):
    """One request as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """Listens on 127.0.0.1. `/500/x` is answered with 500, `/302/x` with a redirect to `/redirected`, `/slow/x` when
    `go_on` is set, anything else with 200; every answer has `SPOKEN` in its body.
    """

    SPOKEN = b"what-the-receiver-says-is-nobodys-business"

    def __init__(self) -> None:
        self._received: list[Received] = []
        self.go_on = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._received.append(Received(self.path, headers, body))
                if self.path.startswith("/slow"):
                    receiver.go_on.wait(60)
                said = re.match(r"/(\d{3})/", self.path)
                self.send_response(int(said[1]) if said else 200)
                if said and said[1] == "302":
                    self.send_header("Location", f"{receiver.url}/redirected")
                self.send_header("Content-Length", str(len(receiver.SPOKEN)))
                self.end_headers()
                self.wfile.write(receiver.SPOKEN)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def on(self, path: str) -> list[Received]:
        """What came to this path so far."""
        return [each for each in self._received if each.path == path]

    def wait(self, path: str, count: int = 1, *, seconds: float = 120) -> list[Received]:
        """What came to this path once so much has. Raises AssertionError when it does not."""
        return until(lambda: self.on(path) if len(self.on(path)) >= count else None, seconds=seconds)

    def close(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for as long as the context is open."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def until(look: Callable[[], Any], *, seconds: float = 120) -> Any:
    """What `look` finds as soon as it finds something. Raises AssertionError when it does not."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it has not come"
        time.sleep(0.02)
    return found
