"""What the processes of a server cost, as the kernel has it."""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Processes:
    """A process and its children, those of one name together. Where there is no /proc, nothing."""

    def __init__(self, first: int) -> None:
        self._first = first

    def collect(self) -> Iterator[Metric]:
        seconds: dict[str, float] = defaultdict(float)
        memory: dict[str, float] = defaultdict(float)
        for number in (self._first, *_children(self._first)):
            try:
                _, _, rest = (Path("/proc") / str(number) / "stat").read_text().rpartition(")")
                name = (Path("/proc") / str(number) / "comm").read_text().strip().removeprefix("mooring ")
            except OSError:
                continue  # it has ended meanwhile
            fields = rest.split()  # from the third of proc_pid_stat(5) on
            name = "main" if number == self._first else name
            seconds[name] += (int(fields[11]) + int(fields[12])) / _TICKS
            memory[name] += int(fields[21]) * _PAGE
        cpu = CounterMetricFamily("mooring_process_cpu_seconds", "Processor time of processes", labels=["process"])
        for name, value in seconds.items():
            cpu.add_metric([name], value)
        yield cpu
        size = "mooring_process_resident_memory_bytes"
        resident = GaugeMetricFamily(size, "Memory of processes; what they share counts for each", labels=["process"])
        for name, value in memory.items():
            resident.add_metric([name], value)
        yield resident


def _children(number: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{number}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return []
