"""Recorded conversations with a real Harbor, replayed against ours."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml

from tests.parts import tools
from tests.parts.process import free_port
from tests.parts.server import Server

_PATIENCE = 4  # times what the recordings give the server until something has happened
# Ports that recordings listen on: each replay has one of its own, since several run at once.
_PORTS = {"webhook-delivery": "18942"}
_KINDS = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "<digest>"),
    (re.compile(r"_state=[^&\s\"]+"), "_state=<state>"),
    (re.compile(r"\br[0-9a-f]{6}"), "<run>"),
    (re.compile(r"/(projects|robots)/\d+\b"), r"/\1/<id>"),
    (re.compile(r"\b(label|project|project id|robot|user|member id|group with id|policy with id) \d+\b"), r"\1 <id>"),
]


class Step(NamedTuple):
    """One step: how ours differs from Harbor in the replayer's words, and what ours answered, as kinds."""

    name: str
    differences: list[str]
    answer: dict[str, Any]


class Listed(NamedTuple):
    """A difference that is meant."""

    file: str
    step: str
    why: str
    answers: dict[str, Any]


def folder() -> Path | None:
    """Where the contract is: MOORING_CONTRACT, or beside the checkout."""
    beside = Path(__file__).parents[2] / ".." / "shared" / "contract"
    found = Path(os.environ.get("MOORING_CONTRACT") or beside).resolve()
    return found if (found / "replay.py").exists() else None


def listed() -> list[Listed]:
    """The differences that are meant. Raises TypeError for an entry with other members."""
    with Path(__file__).with_name("differences.yaml").open() as file:
        return [Listed(**entry) for entry in yaml.load(file, yaml.CSafeLoader)]


def replay(
    contract: Path, name: str, server: Server, amended: Mapping[str, Mapping[str, Any] | None] = MappingProxyType({})
) -> list[Step]:
    """Run a recording against the server. `amended` replaces members of some steps, or leaves a step out. Raises
    RuntimeError when the replayer breaks off.
    """
    recorded = json.loads((contract / "recorded" / f"{name}.steps.json").read_text())
    assert amended.keys() <= {each["name"] for each in recorded}
    changes = [(each, amended.get(each["name"], {})) for each in recorded]
    steps = [_patient(each | change) for each, change in changes if change is not None]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        text = json.dumps(steps)
        file.write(text.replace(_PORTS[name], str(free_port())) if name in _PORTS else text)
        file.flush()
        return _replay(contract, name, server, Path(file.name), len(steps))


def _patient(step: dict[str, Any]) -> dict[str, Any]:
    return step | {"retry": _PATIENCE * step["retry"]} if "retry" in step else step


def _replay(contract: Path, name: str, server: Server, steps: Path, expected: int) -> list[Step]:
    answers = contract / "recorded" / f"{name}.answers.json"
    arguments = [str(steps), server.url, server.password, str(answers), "--json"]
    command = [sys.executable, str(contract / "replay.py"), "compare", *arguments]
    # Some steps are commands of real clients.
    environment = os.environ | {"PATH": f"{tools.folder()}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    replayed = [json.loads(line) for line in done.stdout.splitlines()]
    if len(replayed) != expected:
        raise RuntimeError(f"{name} broke off after {len(replayed)} of {expected} steps: {done.stderr[-2000:]}")
    return [Step(each["name"], each["differences"], as_kinds(each["answer"], server)) for each in replayed]


def as_kinds(value: Any, server: Server, key: str = "") -> Any:
    """The value with what differs from run to run replaced by its kind."""
    match value:
        case dict():
            return {name: as_kinds(member, server, name) for name, member in value.items()}
        case list():
            return [as_kinds(member, server, key) for member in value]
        case str() if key in ("secret", "token"):
            return "<secret>"
        case str():
            value = value.replace(server.url, "<url>").replace(server.host, "<host>")
            for pattern, kind in _KINDS:
                value = pattern.sub(kind, value)
            return value
        case int() if key in ("id", "creator_ref") or key.endswith("_id"):
            return "<id>"
        case int() if key == "expires_at" and value > 0:
            return "<time>"
    return value


def entry(file: str, step: Step) -> str:
    """The entry of differences.yaml that would list this step as it is now."""
    members = {"file": file, "step": step.name, "why": "", "answers": step.answer}
    return yaml.safe_dump([members], sort_keys=False, width=118, allow_unicode=True)
