"""An application in this process, for faults that only a hand inside can make."""

import base64
from collections.abc import AsyncIterator, Mapping
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

from mooring.app import App, build
from mooring.cli.prepare import prepare
from mooring.settings import Settings
from tests.parts.client import Answer
from tests.parts.server import PASSWORD


def application(folder: Path) -> App:
    """One web process over SQLite and a folder, prepared as `mooring serve` does."""
    settings = Settings(data_volume=str(folder), admin_password=PASSWORD)
    prepare(settings)
    return build(settings)


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def send(app: App, method: str, path: str, body: AsyncIterator[bytes], **headers: str) -> Answer:
    """One request of the administrator's, without a server between."""
    credentials = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    sent = {"host": "inside", "authorization": f"Basic {credentials}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    raw, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": raw,
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
    }
    messages: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        piece = await anext(body, None)
        if piece is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": piece, "more_body": True}

    async def respond(message: Any) -> None:
        messages.append(message)

    await app.asgi(scope, receive, respond)
    return _answer(messages)


def _answer(messages: list[Mapping[str, Any]]) -> Answer:
    headers = HTTPMessage()
    for name, value in messages[0]["headers"]:
        headers[name.decode()] = value.decode()
    return Answer(messages[0]["status"], headers, b"".join(message["body"] for message in messages[1:]))


async def close(app: App) -> None:
    """Give back what the application holds."""
    await app.driver.close()
    await app.db.close()
