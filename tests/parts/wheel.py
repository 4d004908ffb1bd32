"""Mooring as it is handed out: the wheel, and the list of what it is installed with."""

import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def build(folder: Path) -> Path:
    """Build into the folder, which is emptied first, as `make wheel` does; returns the wheel's path."""
    command = ["make", "--no-print-directory", "wheel", f"DIST={folder}"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("mooring-*.whl")
    return wheel


def requirements(folder: Path) -> Path:
    """What `build` wrote beside the wheel: every dependency with its version and its hashes."""
    return folder / "requirements.txt"
