"""A run on one medium: the contenders take turns at every row, round after round."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.parts.tools import Missing

from bench import machine
from bench.authority import Authority
from bench.contenders import CONTENDERS, Contender
from bench.content import Content
from bench.rows import ROWS, Row, Run, idle_memory

START: Final = Row("start to first answer", "s", None)
IDLE: Final = Row("memory idle", "MB", None)

Values = dict[Row, dict[str, list[float]]]


class Plan(NamedTuple):
    """How long to measure, and what: rows and contenders whose names hold these words."""

    rounds: int
    seconds: int
    row: str
    contender: str

    def rows(self) -> list[Row]:
        return [row for row in ROWS if self.row in row.name]


class Session:
    """Every contender, holding the same content in a folder on the medium. Close it when done."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        folder.chmod(0o755)  # PostgreSQL runs as another account
        self._plan: Final = plan
        self._content = Content(folder)
        self._contenders: list[Contender] = []
        authority = Authority(folder)
        for number, kind in enumerate(CONTENDERS):
            if plan.contender in kind.name:
                try:
                    self._contenders.append(kind(folder / str(number), authority))
                except Missing as reason:
                    print(f"left out: {kind.name}: {reason}", flush=True)
        for contender in self._contenders:
            contender.start()
            self._content.push(contender)
            contender.stop()

    def plain(self) -> Values:
        """Every row over plain HTTP; each round starts the contenders anew, which is measured too."""
        values: Values = defaultdict(lambda: defaultdict(list))
        for order in self._turns():
            with self._running(order, values, tls=False):
                self._measure(order, self._plan.rows(), values)
        return values

    def secure(self) -> Values:
        """The rows that only read, over TLS; the bars are for plain HTTP."""
        rows = [row._replace(bar=None) for row in self._plan.rows() if row.is_get]
        values: Values = defaultdict(lambda: defaultdict(list))
        with self._running(self._contenders, defaultdict(lambda: defaultdict(list)), tls=True):
            for order in self._turns():
                self._measure(order, rows, values)
        return values

    def close(self) -> None:
        for contender in self._contenders:
            contender.close()

    def _turns(self) -> Iterator[Sequence[Contender]]:
        """The contenders once for each round, each time beginning with another."""
        for number in range(self._plan.rounds):
            first = number % len(self._contenders)
            yield self._contenders[first:] + self._contenders[:first]

    @contextmanager
    def _running(self, order: Sequence[Contender], values: Values, *, tls: bool) -> Iterator[None]:
        try:
            for contender in order:
                values[START][contender.name].append(contender.start(tls=tls))
                values[IDLE][contender.name].append(idle_memory(self._run(contender)))
            yield
        finally:
            for contender in order:
                contender.stop()

    def _measure(self, order: Sequence[Contender], rows: Sequence[Row], values: Values) -> None:
        for row in rows:
            for contender in order:
                assert row.measure is not None
                machine.touch_memory()
                figure = row.measure(self._run(contender))
                values[row][contender.name].append(figure)
                print(f"{row.name}: {contender.name}: {figure:,.0f} {row.unit}", flush=True)

    def _run(self, contender: Contender) -> Run:
        return Run(contender, self._content, self._plan.seconds)
