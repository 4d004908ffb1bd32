"""What tasks say while they run: kept in the database, so that any node can show it."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from mooring.core.clock import SECOND, now
from mooring.jobs.tables import job_log, task

LONGEST: Final = 10 << 20  # bytes of a log that are shown: its end


class Log:
    """The lines of one task. They are kept when `flush` is called; `take` hands over what has come since."""

    def __init__(self, task_id: int) -> None:
        self.task_id = task_id
        self._lines: list[str] = []

    def info(self, text: str) -> None:
        self._add("INFO", text)

    def warning(self, text: str) -> None:
        self._add("WARNING", text)

    def failure(self, text: str) -> None:
        self._add("ERROR", text)

    def _add(self, level: str, text: str) -> None:
        self._lines.append(f"{_moment()} [{level}] {text}\n")

    def take(self) -> str:
        taken, self._lines = "".join(self._lines), []
        return taken


def append(connection: Connection, task_id: int, content: str) -> None:
    """Add a piece to the end of a task's log."""
    last = select(func.coalesce(func.max(job_log.c.number), 0)).where(job_log.c.task_id == task_id)
    number = connection.execute(last).scalar_one() + 1
    connection.execute(job_log.insert().values(task_id=task_id, number=number, content=content))


def read(connection: Connection, task_id: int) -> str | None:
    """The end of a task's log, up to LONGEST bytes; None when it has said nothing."""
    newest = select(job_log.c.content).where(job_log.c.task_id == task_id).order_by(job_log.c.number.desc())
    pieces: list[str] = []
    length = 0
    for (content,) in connection.execute(newest):
        pieces.append(content)
        length += len(content)
        if length >= LONGEST:
            break
    return "".join(reversed(pieces))[-LONGEST:] if pieces else None


def task_of(connection: Connection, job_id: str) -> int | None:
    """The id of the task that clients know by this job id."""
    found: int | None = connection.execute(select(task.c.id).where(task.c.job_id == job_id)).scalar()
    return found


def _moment() -> str:
    return datetime.fromtimestamp(now() // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
