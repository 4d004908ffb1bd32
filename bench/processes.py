"""What a server costs in memory."""

from pathlib import Path

from tests.parts.server import descendants


def memory(process: int) -> int:
    """Bytes of a process and its descendants: the proportional set size, which counts what they share once."""
    return sum(memory_of_each(process).values())


def memory_of_each(process: int) -> dict[str, int]:
    """The same, by each process's name and id."""
    found: dict[str, int] = {}
    for number in (process, *descendants(process)):
        folder = Path(f"/proc/{number}")
        try:
            lines = (folder / "smaps_rollup").read_text().splitlines()
            name = (folder / "comm").read_text().strip()
        except (OSError, ProcessLookupError):
            continue  # it has ended since it was listed
        found[f"{name} ({number})"] = sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return found
