"""A base image made of Debian's packages: the smallest system with Python in it."""

import os
import subprocess
import tempfile
from pathlib import Path

from tests.parts import tools

SUITE = "bookworm"
PACKAGE = "python3-venv"


def tarball() -> Path:
    """The file system of the base, made once for this machine. Raises Missing."""
    kept = tools.folder().with_name(f"debootstrap-{SUITE}-{PACKAGE}.tar")
    if not kept.exists():
        debootstrap = tools.path("debootstrap")
        if os.geteuid() != 0:
            raise tools.Missing("debootstrap works for root only, and the base image is not made yet")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="mooring-base-") as scratch:
            _make(debootstrap, Path(scratch), kept)
    return kept


def _make(debootstrap: str, scratch: Path, kept: Path) -> None:
    root, staged = scratch / "root", kept.with_suffix(f".{os.getpid()}")
    _run(debootstrap, "--variant=minbase", f"--include={PACKAGE}", SUITE, str(root))
    left_out = ["--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*", "--exclude=./usr/share/doc/*"]
    _run("tar", f"--directory={root}", "--numeric-owner", *left_out, "--create", f"--file={staged}", ".")
    staged.replace(kept)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise tools.Missing(f"`{' '.join(command)}` failed: {done.stdout[-500:]}{done.stderr[-500:]}")
