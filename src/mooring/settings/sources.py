"""Where settings come from, read into one shape: text with the place it stands at."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import yaml

from mooring.core.errors import StartError

PREFIX: Final = "MOORING_"

# Where the settings file is; the settings, for app.web; the recordings that the tests compare with.
_RESERVED: Final = frozenset({"MOORING_CONFIG", "MOORING_SETTINGS_JSON", "MOORING_CONTRACT"})

# What Kubernetes puts into every container when a service is called "mooring".
_SERVICE_LINKS: Final = re.compile(r"MOORING_(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_(TCP|UDP)\w*)")

# Variables that Harbor reads under these names.
HARBOR: Final = {
    "CONFIG_OVERWRITE_JSON": ("config_overwrite_json",),
    "JOBSERVICE_WEBHOOK_JOB_MAX_RETRY": ("notification", "webhook_job_max_retry"),
    "JOBSERVICE_WEBHOOK_JOB_HTTP_CLIENT_TIMEOUT": ("notification", "webhook_job_http_client_timeout"),
}

Value: TypeAlias = "str | list[Given] | dict[str, Given] | None"


class Given(NamedTuple):
    """One value as it was written; scalars stay text. `where` is its place in words, `key` is what stands there."""

    value: Value
    where: str
    key: str
    folder: Path


Section: TypeAlias = dict[str, Given]


def from_file(path: Path) -> Section:
    """The mapping that a YAML file holds. Raises StartError."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise StartError(f"the settings file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StartError(f"the settings file {path} is not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise StartError(f"{path.name}{line}: this is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise StartError(f"{path.name}: this is not YAML: {error}") from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise StartError(f"{path.name} line 1: settings are `key: value` lines")
    return dict(_members(root, path, ()))


def from_environment(environ: Mapping[str, str], known: Iterable[tuple[str, ...]]) -> tuple[Section, list[str]]:
    """The settings among the environment's variables, and a sentence for each `MOORING_` name that is none.

    `MOORING_HTTP__PORT` is `http.port`. `known` are the paths of all settings.
    """
    paths = {variable(path): path for path in known} | HARBOR
    section: Section = {}
    notices = []
    for name, text in sorted(environ.items()):
        path = paths.get(name) or _option(name, paths)
        if path is not None:
            put(section, path, Given(text, f"environment {name}", ".".join(path), Path.cwd()))
        elif name.startswith(PREFIX) and name not in _RESERVED and not _SERVICE_LINKS.fullmatch(name):
            notices.append(f"the environment variable {name} is no setting{nearest(name, paths)}; it is ignored")
    return section, notices


def from_flags(flags: Mapping[str, object]) -> Section:
    """Settings given on the command line, by dotted key; None where a flag was not given."""
    section: Section = {}
    for key, value in flags.items():
        if value is not None:
            put(section, tuple(key.split(".")), Given(str(value), f"flag for {key}", key, Path.cwd()))
    return section


def merge(lower: Section, upper: Section) -> Section:
    """Both, the upper one's values where both have one."""
    merged = dict(lower)
    for key, given in upper.items():
        below = lower.get(key)
        if below is not None and isinstance(below.value, dict) and isinstance(given.value, dict):
            given = given._replace(value=merge(below.value, given.value))
        merged[key] = given
    return merged


def put(section: Section, path: tuple[str, ...], given: Given) -> None:
    """Set the value at a path, making the sections on the way."""
    for name in path[:-1]:
        inner = section.get(name)
        if inner is None or not isinstance(inner.value, dict):
            inner = section[name] = given._replace(value={}, key=name)
        assert isinstance(inner.value, dict)  # noqa: S101 - just made so
        section = inner.value
    section[path[-1]] = given


def variable(path: tuple[str, ...]) -> str:
    """The environment variable of a setting: MOORING_HTTP__PORT for http.port."""
    return PREFIX + "__".join(path).upper()


def nearest(name: str, names: Iterable[str]) -> str:
    """` (did you mean ...?)` when one of the names is close, else nothing."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def _option(name: str, paths: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The path of a member of a free mapping, such as MOORING_STORAGE__OPTIONS__TIMEOUT."""
    head, separator, member = name.rpartition("__")
    path = paths.get(head)
    return (*path, member.lower()) if separator and path is not None and path[-1] == "options" else None


def _members(node: yaml.MappingNode, path: Path, above: tuple[str, ...]) -> Iterator[tuple[str, Given]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        key = str(key_node.value)
        where = f"{path.name} line {key_node.start_mark.line + 1}"
        if key in seen:
            raise StartError(f"{where}: {'.'.join((*above, key))} stands here for the second time; keep one of them")
        seen.add(key)
        yield key, _given(value_node, path, (*above, key), where)


def _given(node: yaml.Node, path: Path, key: tuple[str, ...], where: str) -> Given:
    value: Value
    if isinstance(node, yaml.MappingNode):
        value = dict(_members(node, path, key))
    elif isinstance(node, yaml.SequenceNode):
        value = [_given(item, path, key, where) for item in node.value]
    else:
        value = None if node.tag == "tag:yaml.org,2002:null" else str(node.value)
    return Given(value, where, ".".join(key), path.resolve().parent)
