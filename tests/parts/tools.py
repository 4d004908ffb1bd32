"""The programs that the tests drive: Debian packages, Go programs and Python programs, each installed once.

    python -m tests.parts.tools            set up everything in tools.toml
    python -m tests.parts.tools NAME...    set up these

Packages are installed when we are root on Debian; Go programs go into `${XDG_CACHE_HOME:-~/.cache}/mooring/tools`
when Go is there, and so do Python programs, each with an environment of its own. What cannot be had is named; it is an
error only with CI=true.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class GoProgram(NamedTuple):
    """A program that `go build` makes: the package, the module it is part of, and that module's version."""

    name: str
    package: str
    module: str
    version: str


class Missing(Exception):
    """A program is not on this machine; the message says which and why."""


_TABLE = tomllib.loads(Path(__file__).with_name("tools.toml").read_text())
PACKAGES: dict[str, str] = _TABLE["debian"]
PROGRAMS: dict[str, GoProgram] = {name: GoProgram(name, **row) for name, row in _TABLE["go"].items()}
SOURCES: dict[str, str] = _TABLE["source"]
ENVIRONMENTS: dict[str, str] = _TABLE["python"]
_HERE = Path(__file__).parent


def folder() -> Path:
    """Where Go programs are kept, over checkouts."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "mooring", "tools")


def path(name: str) -> str:
    """The path of a program. Raises Missing."""
    built = _environment(name) / "bin" / name if name in ENVIRONMENTS else folder() / name
    found = str(built) if built.exists() else PACKAGES.get(name, "")
    if not Path(found).is_file():
        found = shutil.which(name) or ""
    if not found:
        raise Missing(f"{name} is not on this machine; `make tools` as root and with Go sets it up")
    return found


def set_up(names: Iterable[str]) -> list[str]:
    """Install and build what is missing of these; say why for each that could not be had."""
    wanted = list(names)
    packages = [name for name in wanted if name in PACKAGES and not Path(PACKAGES[name]).exists()]
    programs = [PROGRAMS[name] for name in wanted if name in PROGRAMS]
    sources = [name for name in wanted if name in SOURCES]
    environments = [name for name in wanted if name in ENVIRONMENTS]
    return (
        _install(packages)
        + _build_all(programs, sources)
        + [reason for name in environments if (reason := _furnish(name))]
    )


def _install(packages: list[str]) -> list[str]:
    if not packages:
        return []
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return [f"{name}: not installed, and only root on Debian can install it" for name in packages]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    print("+", *command, flush=True)
    for attempt in (["apt-get", "update"], command):
        done = subprocess.run(
            attempt, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return [f"{name}: {shutil.which('apt-get')} failed: {_last_line(done.stderr)}" for name in packages]
    return []


def _build_all(programs: list[GoProgram], sources: list[str]) -> list[str]:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        names = [*(each.name for each in programs), *sources]
        return [f"{name}: Go is not installed" for name in names if not (folder() / name).exists()]
    built = _versions(go)
    stale = [each for each in programs if f"\t{each.module}\t{each.version}\t" not in built.get(each.name, "")]
    reasons = [_build(go, each) for each in stale] + [_build_source(go, name) for name in sources]
    return [reason for reason in reasons if reason]


def _versions(go: str) -> dict[str, str]:
    """What each program in the folder was built from, as it says itself."""
    folder().mkdir(parents=True, exist_ok=True)
    listing = subprocess.run([go, "version", "-m", folder()], capture_output=True, text=True, check=True).stdout
    return {Path(entry.split(":", 1)[0]).name: entry for entry in listing.split(f"{folder()}/") if entry}


def _build(go: str, program: GoProgram) -> str | None:
    """Build from a small module that requires the program: `go install` refuses modules that replace others."""
    print(f"+ go build {program.package}@{program.version}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}
        for command in (
            [go, "mod", "init", "tools"],
            [go, "get", f"{program.package}@{program.version}"],
            [go, "build", "-trimpath", "-ldflags=-s -w", "-o", "program", program.package],
        ):
            done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return f"{program.name}: `go {command[1]}` failed: {_last_line(done.stderr)}"
        staged = folder() / f".{program.name}.{os.getpid()}"
        shutil.move(Path(scratch, "program"), staged)
        staged.replace(folder() / program.name)
    return None


def _build_source(go: str, name: str) -> str | None:
    """Build a program of our own; Go itself keeps what has not changed."""
    staged = folder() / f".{name}.{os.getpid()}"
    command = [go, "build", "-trimpath", "-ldflags=-s -w", "-o", staged, "."]
    environment = os.environ | {"CGO_ENABLED": "0"}
    source = _HERE / SOURCES[name]
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"{name}: `go build` failed: {_last_line(done.stderr)}"
    staged.replace(folder() / name)
    return None


def _environment(name: str) -> Path:
    """Where the Python program and what it needs are: a place for each set of versions."""
    versions = hashlib.sha256((_HERE / ENVIRONMENTS[name]).read_bytes()).hexdigest()
    return folder() / "python" / f"{name}-{versions[:12]}"


def _furnish(name: str) -> str | None:
    """Install a Python program into an environment of its own, which is there as a whole or not at all."""
    place = _environment(name)
    if place.exists():
        return None
    print(f"+ uv pip install --requirements {ENVIRONMENTS[name]}", flush=True)
    uv = Path(sys.executable).with_name("uv")
    with tempfile.TemporaryDirectory(dir=folder()) as scratch:
        staged = Path(scratch, "environment")
        for command in (
            [uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, staged],
            [uv, "pip", "install", "--quiet", "--python", staged, "--requirements", _HERE / ENVIRONMENTS[name]],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return f"{name}: `uv {command[1]}` failed: {_last_line(done.stderr)}"
        place.parent.mkdir(exist_ok=True)
        staged.replace(place)
    return None


def _last_line(text: str) -> str:
    return text.strip().rsplit("\n", 1)[-1]


def main(names: list[str]) -> int:
    """Set up the named programs, or all; 1 when something is missing and CI=true."""
    missing = set_up(names or [*PACKAGES, *PROGRAMS, *SOURCES, *ENVIRONMENTS])
    for reason in missing:
        print(f"tools: {reason}; what needs it is skipped", file=sys.stderr)
    return int(bool(missing) and os.environ.get("CI") == "true")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
