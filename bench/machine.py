"""The machine that figures are from."""

import mmap
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Final

from tests.parts import tools

from mooring import __version__

_TOUCHED: Final = 2 << 30  # bytes; more than one measurement writes


def description(folder: Path) -> list[str]:
    """Lines that say what the figures depend on; `folder` is on the disk that was measured."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    return [
        f"{len(os.sched_getaffinity(0))} cores of {model[1] if model else platform.machine()}, {gigabytes:.0f} GB,"
        f" Linux {platform.release()}, disk {_file_system(folder)}, load before the run {load:.1f}",
        f"Mooring {__version__} on Python {platform.python_version()}, {', '.join(_versions())}",
    ]


def touch_memory() -> None:
    """Have the memory at hand that a measurement will write to.

    A virtual machine may give free memory back to its host, and then pays ten times the price of a page for the first
    write to it: that would fall on whoever happens to be measured when the pages touched before have run out.
    """
    with mmap.mmap(-1, _TOUCHED, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for start in range(0, _TOUCHED, mmap.PAGESIZE):
            memory[start] = 1


def _versions() -> list[str]:
    return [_words([tools.path(program), "--version"]) for program in ("registry", "docker-registry")]


def _words(command: list[str]) -> str:
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return " ".join(output.split()[1:])


def _file_system(folder: Path) -> str:
    output = subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True, check=True).stdout
    return output.split()[-1]
