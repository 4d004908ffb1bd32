"""Harbor's API as data (swagger 2.0), and how what is served differs from it."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

METHODS = ("get", "head", "post", "put", "patch", "delete")
SERVED = frozenset(
    {
        *("project", "projectMetadata", "member", "user", "usergroup", "robot", "label", "quota", "repository"),
        *(
            "artifact",
            "icon",
            "immutable",
            "Retention",
            "gc",
            "search",
            "statistic",
            "systeminfo",
            "health",
            "ping",
            "configure",
        ),
        *("permissions", "auditlog", "SystemCVEAllowlist", "Ldap", "oidc", "webhook", "webhookjob"),
    }
)
NOT_SERVED = "is not served"
# Harbor answers these of any operation, though its contract names them of some only: a query or body that cannot be
# read, CSRF and read-only mode, a body without end, and what fits no parameter's type.
ALWAYS = frozenset({"400", "403", "413", "422", "500"})


class Operation(NamedTuple):
    """One operation of a swagger 2.0 or OpenAPI 3.1 document, with its references resolved one level deep."""

    method: str
    path: str
    described: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def tag(self) -> str:
        """The first tag, by which operations are grouped."""
        return str(next(iter(self.described.get("tags", ())), ""))

    @property
    def name(self) -> str:
        """What the operation is called: its method and path."""
        return f"{self.method.upper()} {self.path}"

    @property
    def statuses(self) -> set[str]:
        """What it may answer."""
        return set(self.described["responses"])

    @property
    def success(self) -> str:
        """What it answers when all is well."""
        return min(self.statuses)

    def parameters(self) -> dict[str, Mapping[str, Any]]:
        """Its parameters but for the body, by place and name."""
        found = [resolved(each, self.document) for each in self.described.get("parameters", ())]
        return {f"{each['in']} {each['name']}": each for each in found if each["in"] != "body"}

    def request(self) -> Mapping[str, Any] | None:
        """The schema of its body."""
        if "requestBody" in self.described:
            return _schema(self.described["requestBody"]["content"])
        found = [resolved(each, self.document) for each in self.described.get("parameters", ())]
        return next((each["schema"] for each in found if each["in"] == "body"), None)

    def answer(self) -> Mapping[str, Any] | None:
        """The schema of what it answers when all is well."""
        response = resolved(self.described["responses"][self.success], self.document)
        return _schema(response["content"]) if "content" in response else response.get("schema")


Routes = Mapping[tuple[str, str], Operation]


def folder() -> Path | None:
    """Where the contract is: MOORING_CONTRACT, or beside the checkout."""
    beside = Path(__file__).parents[2] / ".." / "shared" / "contract"
    found = Path(os.environ.get("MOORING_CONTRACT") or beside).resolve()
    return found if (found / "harbor-v2.json").exists() else None


def load(contract: Path) -> dict[str, Any]:
    """The contract as it is written."""
    document: dict[str, Any] = json.loads((contract / "harbor-v2.json").read_text())
    return document


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Those of the document, in its order."""
    return [
        Operation(method, path, described, document)
        for path, item in document["paths"].items()
        for method, described in item.items()
        if method in METHODS
    ]


def by_route(document: Mapping[str, Any]) -> dict[tuple[str, str], Operation]:
    """Those of the document by method and path, as `matched` has it."""
    return {(each.method, matched(each.path)): each for each in operations(document)}


def matched(path: str) -> str:
    """The path as routers see it: without a last slash, whatever its parameters are called."""
    return re.sub(r"\{[^}]*\}", "{}", path.rstrip("/"))


def differences(wanted: Operation, served: Operation) -> Iterator[str]:
    """How the operation that is served differs from the one that is wanted, one sentence each."""
    for what in ("operationId", "tags"):
        if wanted.described[what] != served.described.get(what):
            yield f"{what} is {served.described.get(what)}, not {wanted.described[what]}"
    if wanted.success != served.success:
        yield f"answers {served.success}, not {wanted.success}"
    yield from (f"never answers {status}" for status in sorted(wanted.statuses - served.statuses))
    anyhow = ALWAYS | {"401"} | ({"404"} if "{" in wanted.path else set())
    yield from (f"answers {status} too" for status in sorted(served.statuses - wanted.statuses - anyhow))
    yield from _parameters(wanted.parameters(), served.parameters())
    yield from _schemas("request", wanted, served, wanted.request(), served.request())
    yield from _schemas("answer", wanted, served, wanted.answer(), served.answer())


def resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema, parameter or response that is meant: references followed, null and single alternatives left out."""
    while True:
        if "$ref" in schema:
            found: Any = document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        elif "anyOf" in schema:
            (schema,) = [each for each in schema["anyOf"] if each.get("type") != "null"]
        elif "allOf" in schema:
            (schema,) = schema["allOf"]
        else:
            return schema


def listed() -> dict[str, dict[str, str]]:
    """The differences that are meant: by operation and sentence, why."""
    entries = yaml.safe_load(Path(__file__).with_name("differences.yaml").read_text())
    meant: dict[str, dict[str, str]] = {}
    for entry in entries:
        for operation in entry["operations"]:
            for difference in entry["differences"]:
                meant.setdefault(operation, {})[difference] = entry["why"]
    return meant


def _schema(content: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = next(iter(content.values()))["schema"]
    return schema


def _parameters(wanted: Mapping[str, Mapping[str, Any]], served: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, parameter in wanted.items():
        if name not in served:
            yield f"takes no {name}"
            continue
        ours = served[name]
        if bool(parameter.get("required")) != bool(ours.get("required")):
            yield f"{name} is {'' if ours.get('required') else 'not '}required"
        kinds = parameter["type"], ours["schema"]["type"]
        if kinds[0] != kinds[1]:
            yield f"{name} is {kinds[1]}, not {kinds[0]}"
    yield from (f"takes {name} too" for name in served if name not in wanted)


def _schemas(
    what: str,
    wanted: Operation,
    served: Operation,
    theirs: Mapping[str, Any] | None,
    ours: Mapping[str, Any] | None,
    seen: tuple[Any, ...] = (),
) -> Iterator[str]:
    """Differences of two schemas, member by member."""
    if theirs is None or ours is None:
        if theirs is not ours:
            yield f"{what} has {'a' if ours else 'no'} body"
        return
    if theirs.get("type") == "file":  # swagger 2.0's word for any bytes
        return
    if not ours:
        yield f"{what} may be anything"
        return
    theirs, ours = resolved(theirs, wanted.document), resolved(ours, served.document)
    if id(theirs) in seen:
        return
    seen = (*seen, id(theirs))
    kind = theirs.get("type", "object")
    if _kind(ours) != kind:
        yield f"{what} is {_kind(ours)}, not {kind}"
    elif kind == "array":
        yield from _schemas(f"{what}[]", wanted, served, theirs["items"], ours.get("items", {}), seen)
    elif isinstance(theirs.get("additionalProperties"), dict):
        values = ours.get("additionalProperties")
        if ours.get("properties") is not None:
            yield f"{what} is no map"
        elif isinstance(values, dict):
            yield from _schemas(f"{what}.*", wanted, served, theirs["additionalProperties"], values, seen)
    else:
        members = ours.get("properties", {})
        for name, schema in theirs.get("properties", {}).items():
            if name not in members:
                yield f"{what} has no {name}"
                continue
            yield from _schemas(f"{what}.{name}", wanted, served, schema, members[name], seen)
            if schema.get("x-omitempty") is False and "answer" in what and name not in ours.get("required", ()):
                yield f"{what} may lack {name}"
        yield from (f"{what} has {name} too" for name in members if name not in theirs.get("properties", {}))


def _kind(schema: Mapping[str, Any]) -> str:
    """Its type, that it may be null left aside. Enumerations say none: they are of words."""
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    chosen = choices[0] if len(choices) == 1 else schema
    return "string" if "enum" in chosen else str(chosen.get("type", "object"))
