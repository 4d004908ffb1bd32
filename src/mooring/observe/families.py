"""What the processes have counted, as Prometheus sees it: under Harbor's names, and those that guides alert on."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from mooring.observe.board import BOUNDS, Board, Row, Rows
from mooring.observe.counts import HIT, LOOKUP, MISS, REQUEST, RUN, STORAGE, TASK

_WINDOW: Final = 600.0  # seconds that a summary's quantiles look back, as in Harbor
_STEP: Final = 60.0  # seconds between two of the states that are kept for it
_QUANTILES: Final = (0.5, 0.9, 0.99)
_HANDLED: Final = ("handler", "method")
_ENDS: Final = {"Success": "success", "Error": "fail", "Stopped": "stop"}


class Recent:
    """What was counted in the last ten minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: list[tuple[float, Rows]] = [(clock(), {})]

    def since(self, totals: Rows) -> Rows:
        """How much each series has grown."""
        moment = self._clock()
        while len(self._kept) > 1 and self._kept[1][0] <= moment - _WINDOW:
            del self._kept[0]
        before = self._kept[0][1]
        if moment - self._kept[-1][0] >= _STEP:
            self._kept.append((moment, totals))
        return {labels: row.since(before.get(labels, Row())) for labels, row in totals.items()}


class Core:
    """All requests, as Harbor's core has them."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._recent = Recent()

    def collect(self) -> Iterator[Metric]:
        totals = _of(REQUEST, self._board.totals())
        name = "harbor_core_http_inflight_requests"
        yield GaugeMetricFamily(name, "Requests that are being answered", value=sum(self._board.under_way()))
        labels = ("method", "code", "operation")
        counter = CounterMetricFamily("harbor_core_http_request", "Requests that were answered", labels=labels)
        for (operation, method, code), row in totals.items():
            counter.add_metric([method, code, operation], row.count)
        yield counter
        yield _summary(
            "harbor_core_http_request_duration_seconds",
            "How long requests took; quantiles are of the last ten minutes",
            ("operation", "method"),
            _without_last(totals),
            self._recent.since(_without_last(totals)),
        )


class Registry:
    """The data plane's requests, under the names of distribution and of guides."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        counted = self._board.totals()
        totals = {key: row for key, row in _of(REQUEST, counted).items() if key[0].startswith("v2_")}
        name = "registry_http_in_flight_requests"
        yield GaugeMetricFamily(name, "Requests to the registry that are being answered", self._board.under_way()[1])
        labels = ("handler", "method", "code")
        counter = CounterMetricFamily("registry_http_requests", "Requests to the registry", labels=labels)
        for (operation, method, code), row in totals.items():
            counter.add_metric([operation.removeprefix("v2_"), method.lower(), code], row.count)
        yield counter
        help_text = "How long requests to the registry took, their bodies included"
        own = HistogramMetricFamily("registry_http_request_duration_seconds", help_text, labels=_HANDLED)
        guides = "harbor_registry_request_duration_seconds"
        theirs = HistogramMetricFamily(guides, help_text, labels=("operation", "method"))
        received, sent = (
            HistogramMetricFamily(f"registry_http_{what}_size_bytes", f"Bytes of {what}s' bodies", labels=_HANDLED)
            for what in ("request", "response")
        )
        for (operation, method), row in _without_last(totals).items():
            handled = [operation.removeprefix("v2_"), method.lower()]
            own.add_metric(handled, _buckets(row), row.total)
            theirs.add_metric([operation, method], _buckets(row), row.total)
            received.add_metric(handled, [("+Inf", row.count)], row.received)
            sent.add_metric(handled, [("+Inf", row.count)], row.sent)
        yield from (own, theirs, received, sent)
        yield from _storage(counted)


class Jobservice:
    """The tasks. Every one of the kinds has its counts from the start, so that an alert's expression has data."""

    def __init__(self, board: Board, kinds: Iterable[str]) -> None:
        self._board = board
        self._kinds = tuple(kinds)
        self._recent = Recent()

    def collect(self) -> Iterator[Metric]:
        totals = self._board.totals()
        every: Rows = {(kind, end): Row() for kind in self._kinds for end in _ENDS}
        runs, tasks = every | _of(RUN, totals), every | _of(TASK, totals)
        labels = ("type", "status")
        harbor = CounterMetricFamily("harbor_jobservice_task", "Runs of tasks that have ended", labels=labels)
        for (kind, end), row in runs.items():
            harbor.add_metric([kind, _ENDS[end]], row.count)
        yield harbor
        guides = CounterMetricFamily("harbor_jobservice_job", "Jobs that have ended, tried again or not", labels=labels)
        for (kind, end), row in tasks.items():
            guides.add_metric([kind, end], row.count)
        yield guides
        named: Rows = {(kind, _ENDS[end]): row for (kind, end), row in runs.items() if row.count}
        yield _summary(
            "harbor_jobservice_task_process_time_seconds",
            "How long tasks ran; quantiles are of the last ten minutes",
            labels,
            named,
            self._recent.since(named),
        )


def _storage(totals: Rows) -> Iterator[Metric]:
    labels = ("driver", "action")
    seconds = HistogramMetricFamily("registry_storage_action_seconds", "How long the storage took", labels=labels)
    for key, row in _of(STORAGE, totals).items():
        seconds.add_metric(key, _buckets(row), row.total)
    yield seconds
    lookups = {kind: row.count for (kind,), row in _of(LOOKUP, totals).items()}
    cache = CounterMetricFamily("registry_storage_cache", "Manifests looked for in memory", labels=("type",))
    cache.add_metric(["Request"], sum(lookups.values()))
    for kind in (HIT, MISS):
        cache.add_metric([kind], lookups.get(kind, 0))
    yield cache


def quantile(row: Row, share: float) -> float:
    """The value that this share of what was counted is not above, as far as the bounds tell; NaN when there is none."""
    wanted = share * row.count
    if not wanted:
        return math.nan
    below = 0.0
    for (lower, upper), count in zip(pairwise((0.0, *BOUNDS)), row.buckets, strict=False):
        if below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below += count
    return BOUNDS[-1]


def _summary(name: str, help_text: str, labels: tuple[str, ...], totals: Rows, recent: Rows) -> Metric:
    metric = Metric(name, help_text, "summary")
    for key, row in totals.items():
        named = dict(zip(labels, key, strict=True))
        for share in _QUANTILES:
            metric.add_sample(name, {**named, "quantile": str(share)}, quantile(recent[key], share))
        metric.add_sample(f"{name}_sum", named, row.total)
        metric.add_sample(f"{name}_count", named, row.count)
    return metric


def _buckets(row: Row) -> list[tuple[str, float]]:
    bounds = [*map(str, BOUNDS), "+Inf"]
    return list(zip(bounds, accumulate(row.buckets), strict=True))


def _of(what: str, totals: Rows) -> Rows:
    """The series of one sort, without its name."""
    return {labels[1:]: row for labels, row in totals.items() if labels[0] == what}


def _without_last(totals: Rows) -> Rows:
    """The sums over the last label."""
    sums: Rows = {}
    for labels, row in totals.items():
        rest = labels[:-1]
        sums[rest] = sums[rest].plus(row) if rest in sums else row
    return sums
