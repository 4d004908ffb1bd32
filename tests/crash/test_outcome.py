"""Failures whose outcome nobody knows: bytes that a row may lead to are never deleted, others are not left."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mooring.app import App
from mooring.core.errors import DatabaseUnavailable, StorageFull
from mooring.features.blobs import service
from mooring.features.blobs.jobs import purge_orphans
from mooring.features.blobs.queries import UPLOAD, to_upload
from mooring.features.blobs.service import finish_upload
from mooring.http import exchange
from tests.crash.inside import application, close, once, send
from tests.parts.client import digest_of

DATA = b"bytes that must not be lost" * 1000
PATH = "/v2/library/app/blobs"

# Of the control API, which is part of the application and not asked here.
pytestmark = pytest.mark.filterwarnings("ignore:.*inferred style:DeprecationWarning")


def wrapped(app: App, function: Any, *, before: Exception | None = None, behind: Exception | None = None) -> None:
    """Have writes by the function fail, before or behind their commit; of those within a quota too."""
    write, within = app.db.write, app.registry.quotas.write

    async def either(asked: Callable[..., Any], writing: Callable[[], Awaitable[Any]]) -> Any:
        if asked is not function:
            return await writing()
        if before is not None:
            raise before
        result = await writing()
        if behind is not None:
            raise behind
        return result

    async def failing(asked: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await either(asked, lambda: write(asked, *args, **kwargs))

    async def failing_within(actor: Any, project: int, name: str, asked: Any, *args: Any, **kwargs: Any) -> Any:
        return await either(asked, lambda: within(actor, project, name, asked, *args, **kwargs))

    app.db.write = failing  # type: ignore[method-assign, assignment]
    app.registry.quotas.write = failing_within  # type: ignore[method-assign]


def run(folder: Path, work: Callable[[App], Any]) -> None:
    app = application(folder)

    async def inside() -> None:
        try:
            await work(app)
        finally:
            await close(app)

    asyncio.run(inside())


def segments(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("blobs/*/*")]


async def begin(app: App) -> str:
    started = await send(app, "POST", f"{PATH}/uploads/", once(b""))
    assert started.status == 202
    return str(started.headers["Location"]).removeprefix("http://inside")


def test_a_blob_whose_commit_was_not_heard_of_is_whole(tmp_path: Path) -> None:
    async def work(app: App) -> None:
        wrapped(app, service.finish, behind=DatabaseUnavailable("went away behind its commit"))
        answer = await send(app, "POST", f"{PATH}/uploads/?digest={digest_of(DATA)}", once(DATA))
        assert (answer.status, answer.codes()) == (503, ["UNAVAILABLE"])
        got = await send(app, "GET", f"{PATH}/{digest_of(DATA)}", once(b""))
        assert (got.status, got.body) == (200, DATA)

    run(tmp_path, work)


def test_a_chunk_whose_commit_was_not_heard_of_is_there(tmp_path: Path) -> None:
    async def work(app: App) -> None:
        location = await begin(app)
        write = app.db.write
        wrapped(app, service.advance_upload, behind=DatabaseUnavailable("went away behind its commit"))
        assert (await send(app, "PATCH", location, once(DATA))).status == 503
        app.db.write = write  # type: ignore[method-assign]
        assert segments(tmp_path) == [DATA]
        (upload,) = app.db.write_now(service.expire_uploads, time.time_ns())
        assert (upload.offset, upload.digest) == (len(DATA), digest_of(DATA))

    run(tmp_path, work)


def test_bytes_that_never_got_a_row_are_swept(tmp_path: Path) -> None:
    async def work(app: App) -> None:
        wrapped(app, service.finish, before=DatabaseUnavailable("is away"))
        answer = await send(app, "POST", f"{PATH}/uploads/?digest={digest_of(DATA)}", once(DATA))
        assert answer.status == 503
        assert segments(tmp_path) == [DATA]
        assert await purge_orphans(app.db, app.driver, 3600) == 0
        assert await purge_orphans(app.db, app.driver, 0) == 1
        assert segments(tmp_path) == []

    run(tmp_path, work)


@pytest.mark.parametrize("error", [StorageFull("no room for the row"), ZeroDivisionError()], ids=repr)
def test_bytes_whose_row_was_surely_not_written_go_at_once(tmp_path: Path, error: Exception) -> None:
    async def work(app: App) -> None:
        wrapped(app, service.finish, before=error)
        answer = await send(app, "POST", f"{PATH}/uploads/?digest={digest_of(DATA)}", once(DATA))
        assert answer.status == (507 if isinstance(error, StorageFull) else 500)
        assert segments(tmp_path) == []

    run(tmp_path, work)


def test_a_body_that_stalls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield DATA
        await asyncio.sleep(30)

    async def work(app: App) -> None:
        location = await begin(app)
        with monkeypatch.context() as patch:
            patch.setattr(exchange, "STALL", 0.05)
            answer = await send(app, "PATCH", location, stalling())
        assert (answer.status, answer.codes()) == (408, ["REQUEST_TIMEOUT"])
        assert segments(tmp_path) == []
        assert (await send(app, "PATCH", location, once(DATA))).status == 202

    run(tmp_path, work)


def test_an_upload_that_is_closed_while_orphans_are_looked_for_keeps_its_bytes(tmp_path: Path) -> None:
    """On PostgreSQL two reads of a transaction see two moments, and the bytes change from one table to the other."""

    async def work(app: App) -> None:
        location = await begin(app)
        sent = await send(app, "PATCH", location, once(DATA))
        assert sent.status == 202
        upload_id = sent.headers["Docker-Upload-UUID"]
        looked: list[str] = []

        class Between:
            """A connection that closes the upload behind the first read."""

            def __init__(self, connection: Any) -> None:
                self._connection = connection

            def execute(self, statement: Any) -> Any:
                rows = self._connection.execute(statement).all()
                if not looked:
                    looked.append("once")
                    row = UPLOAD.sure(self._connection, id=upload_id, repository="library/app", project=1)
                    assert finish_upload(self._connection, to_upload(row), digest_of(DATA))
                return rows

        found = app.db.write_now(lambda connection: service.referenced(Between(connection), "blobs/"))  # type: ignore[arg-type]
        assert found == {entry.key async for entry in app.driver.list("blobs/")}

    run(tmp_path, work)
