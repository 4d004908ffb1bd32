"""Reads on PostgreSQL, many at a time over one connection ("Pipeline Mode" in libpq's documentation).

What the requests of one turn of the event loop ask for leaves in one packet and comes back in one, so that a read costs
neither a connection of its own nor trips to the kernel of its own.
"""

import asyncio
import itertools
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from mooring.db.prepared import Prepared, Row

_PATIENCE: Final = 30.0  # seconds
_SLOW: Final = 0.05  # seconds without an answer, after which a read is held to be a slow one
_PARAMETER: Final = re.compile(r"%\((\w+)\)s|%%")


class Unanswered(Exception):
    """The connection went before the answer came."""


class Aborted(Exception):
    """A read that was asked earlier in the same turn failed, and took this one along; it may be asked again."""


class _Statement:
    """What the server knows by `name`; its parameters are sent in the order of `parameters`."""

    __slots__ = ("formats", "name", "parameters", "text")

    def __init__(self, statement: Prepared, name: bytes) -> None:
        order: dict[str, int] = {}

        def numbered(match: re.Match[str]) -> str:
            parameter = match[1]
            return f"${order.setdefault(parameter, len(order) + 1)}" if parameter else "%"

        self.text = _PARAMETER.sub(numbered, statement.text["postgresql"]).encode()
        self.name = name
        self.parameters = tuple(order)
        self.formats = [PyFormat.TEXT] * len(order)


class _Read:
    """A read on its way: `parses` when the statement goes along to be parsed, which has a result of its own."""

    __slots__ = ("answer", "parses", "statement")

    def __init__(self, statement: Prepared, answer: "asyncio.Future[list[Row]]", *, parses: bool) -> None:
        self.statement = statement
        self.answer = answer
        self.parses = parses


class Pipeline:
    """One connection, used in the event loop that opened it."""

    def __init__(self, connection: psycopg.AsyncConnection[Row]) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._socket = self._pg.socket  # which it forgets when the connection ends
        self._loop = asyncio.get_running_loop()
        self._statements: dict[Prepared, _Statement] = {}
        self._sent: deque[_Read] = deque()
        self._names = itertools.count()
        self._values = Transformer(connection)
        self._is_turn = False  # something was asked since the last packet
        self._is_blocked = False  # the socket takes no more for the moment
        self._moved = 0.0  # when the oldest read became the oldest
        self._watch: asyncio.TimerHandle | None = None
        self.is_open = True
        self._pg.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._readable)

    @property
    def waiting(self) -> int:
        """How many reads have no answer yet."""
        return len(self._sent)

    @property
    def is_held_up(self) -> bool:
        """Whether a slow read keeps those behind it waiting."""
        return bool(self._sent) and self._loop.time() - self._moved > _SLOW

    async def all(self, statement: Prepared, params: Mapping[str, Any]) -> list[Row]:
        """Every row. Raises Aborted, Unanswered; psycopg.DataError for a text with NUL; psycopg.Error."""
        known = self._statements.get(statement)
        parses = known is None
        if known is None:
            known = _Statement(statement, b"s%d" % next(self._names))
        values = self._values.dump_sequence([params[name] for name in known.parameters], known.formats)
        try:
            if parses:
                self._pg.send_prepare(known.name, known.text)
                self._statements[statement] = known
            self._pg.send_query_prepared(known.name, values)
        except psycopg.OperationalError as error:
            self._give_up(error)
            raise Unanswered(str(error)) from error
        read = _Read(statement, self._loop.create_future(), parses=parses)
        if not self._sent:
            self._moved = self._loop.time()
        self._sent.append(read)
        if not self._is_turn:
            self._is_turn = True
            self._loop.call_soon(self._end_turn)
        return await read.answer

    async def close(self) -> None:
        """Close the connection; whoever still waits on it is Unanswered."""
        self._give_up(psycopg.OperationalError("the connection is closed"))

    def _end_turn(self) -> None:
        """Send what was asked. An error takes along what follows it in its turn, and no more."""
        self._is_turn = False
        if not self.is_open:
            return
        if self._watch is None and self._sent:  # a long answer may come before its turn has ended
            self._watch = self._loop.call_later(_PATIENCE, self._look, self._sent[-1].answer)
        try:
            self._pg.pipeline_sync()
        except psycopg.OperationalError as error:
            self._give_up(error)
        else:
            self._flush()

    def _flush(self) -> None:
        """Go on sending when the socket takes more."""
        try:
            is_unsent = bool(self._pg.flush())
        except psycopg.OperationalError as error:
            self._give_up(error)
            return
        if is_unsent:
            self._loop.add_writer(self._socket, self._flush)
            self._loop.call_soon(self._readable)  # libpq takes in what has come when it cannot send
        elif self._is_blocked:
            self._loop.remove_writer(self._socket)
        self._is_blocked = is_unsent

    def _readable(self) -> None:
        if not self.is_open:
            return
        try:
            self._pg.consume_input()
            while self._sent and not self._pg.is_busy():
                result = self._pg.get_result()
                if result is not None and result.status != ExecStatus.PIPELINE_SYNC:
                    self._take(result)
        except psycopg.OperationalError as error:
            self._give_up(error)
            return
        if self._pg.status == ConnStatus.BAD:
            self._give_up(psycopg.OperationalError("the server closed the connection"))

    def _take(self, result: PGresult) -> None:
        """The next result, which is the oldest read's."""
        read = self._sent[0]
        error = self._error(result)
        if read.parses:
            read.parses = False
            if error:
                del self._statements[read.statement]
                _settle(read.answer, error)
            return
        self._sent.popleft()
        self._moved = self._loop.time()
        if error:
            _settle(read.answer, error)
        elif not read.answer.done():
            self._values.set_pgresult(result)
            read.answer.set_result(self._values.load_rows(0, result.ntuples, tuple))

    def _error(self, result: PGresult) -> Exception | None:
        """What it says went wrong. Raises psycopg.OperationalError for the server's last word."""
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return None
        if result.status == ExecStatus.PIPELINE_ABORTED:
            return Aborted()
        error = error_from_result(result)
        if result.error_field(DiagnosticField.SEVERITY_NONLOCALIZED) in (b"FATAL", b"PANIC"):
            raise psycopg.OperationalError(str(error)) from error  # the end of the connection, not of one read
        return error

    def _look(self, answer: "asyncio.Future[list[Row]]") -> None:
        """Whether the read that was the last one when the clock was set has its answer."""
        self._watch = None
        if not answer.done():
            self._give_up(psycopg.OperationalError(f"no answer in {_PATIENCE:.0f} seconds"))
        elif self._sent:
            self._watch = self._loop.call_later(_PATIENCE, self._look, self._sent[-1].answer)

    def _give_up(self, error: psycopg.OperationalError) -> None:
        if not self.is_open:
            return
        self.is_open = False
        if self._watch is not None:
            self._watch.cancel()
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pg.finish()
        while self._sent:
            _settle(self._sent.popleft().answer, Unanswered(str(error)))


def _settle(answer: "asyncio.Future[list[Row]]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
