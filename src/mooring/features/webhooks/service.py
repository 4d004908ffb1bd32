"""Making, changing and deleting policies, signing, and delivering once more."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, NotFound
from mooring.features.configuration.vault import Vault
from mooring.features.webhooks import queries
from mooring.features.webhooks.payloads import EVENT_TYPES, FORMATS, Message, url_of
from mooring.features.webhooks.queries import HTTP, TYPES, VENDORS, Delivery, Policy, Target
from mooring.features.webhooks.tables import webhook_policy
from mooring.jobs import executions
from mooring.jobs.executions import NewTask
from mooring.jobs.kinds import EVENT, MANUAL

_LONGEST_SECRET: Final = 256
_NO_HOST: Final = re.compile(r"[\s<>\"\\^`{|}]")
_PORT: Final = re.compile(r":([^:\]]+)$")
_LAST_PORT: Final = 65_535
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")


class Content(Struct, frozen=True, kw_only=True):
    """What a policy says; its targets' authorization is in clear, and they have no secrets."""

    name: str
    description: str
    creator: str
    is_enabled: bool
    event_types: Sequence[str]
    targets: Sequence[Target]


def read(connection: Connection, project_id: int, policy_id: int) -> Policy:
    """The project's policy. Raises NotFound, also for another project's."""
    found = queries.find(connection, policy_id)
    if found is None:
        raise NotFound(f"notificationPolicy {policy_id} not found")
    if found.project_id != project_id:
        raise NotFound(f"resource not found: project id:{project_id}, webhook policy id: {policy_id} not found")
    return found


def create(connection: Connection, vault: Vault, project_id: int, content: Content) -> int:
    """Make a policy; its id. Raises BadRequest, and Conflict when the project has one of the name."""
    check(content)
    moment = now()
    targets = [_sealed(vault, each, ()) for each in content.targets]
    values = _values(content, targets) | {"project_id": project_id, "creation_time": moment, "update_time": moment}
    statement = webhook_policy.insert().values(values).returning(webhook_policy.c.id)
    try:
        policy_id: int = connection.execute(statement).scalar_one()
    except IntegrityError:
        raise _taken(content) from None
    return policy_id


def change(connection: Connection, vault: Vault, policy: Policy, content: Content) -> None:
    """Replace what the policy says. A target whose address stays is still signed. Raises BadRequest, Conflict."""
    check(content)
    targets = [_sealed(vault, each, policy.targets) for each in content.targets]
    values = _values(content, targets) | {"update_time": now(), "creator": content.creator or policy.creator}
    try:
        _set(connection, policy, values)
    except IntegrityError:
        raise _taken(content) from None


def remove(connection: Connection, policy: Policy) -> None:
    """Delete the policy with what is kept of its deliveries. Raises Precondition while one is under way."""
    # No event in another transaction may begin one in between.
    connection.execute(select(webhook_policy.c.id).where(webhook_policy.c.id == policy.id).with_for_update())
    for vendor in VENDORS.values():
        executions.delete(connection, vendor, policy.id)
    connection.execute(delete(webhook_policy).where(webhook_policy.c.id == policy.id))


def sign(connection: Connection, vault: Vault, policy: Policy, address: str, secret: str) -> None:
    """Sign with the secret what goes to this address from now on, or nothing any more when it is empty.

    Raises NotFound for an address that is no target's, BadRequest for a secret that is too long.
    """
    if len(secret) > _LONGEST_SECRET:
        raise BadRequest(f"a secret has at most {_LONGEST_SECRET} characters")
    if all(each.address != address for each in policy.targets):
        raise NotFound(f"the webhook policy {policy.id} has no target at this address")
    sealed = vault.seal(secret) if secret else ""
    targets = [structs.replace(each, secret=sealed) if each.address == address else each for each in policy.targets]
    _set(connection, policy, {"targets": _encoded(targets), "update_time": now()})


def require_delivery(connection: Connection, policy: Policy, execution_id: int, task_id: int | None = None) -> Delivery:
    """The policy's delivery. Raises NotFound for one, or a task, that is not."""
    found = queries.delivery(connection, execution_id)
    if found is None:
        raise NotFound(f"execution {execution_id} not found")
    if found.policy_id != policy.id or found.vendor_type not in TYPES:
        raise NotFound(f"resource not found: execution {execution_id} not found in policy {policy.id}")
    home = execution_id if task_id is None else executions.of_task(connection, task_id)
    if home is None:
        raise NotFound(f"task {task_id} not found")
    if home != execution_id:
        raise NotFound(f"resource not found: task {task_id} not found in execution {execution_id}")
    return found


def replay(connection: Connection, policy: Policy, execution_id: int) -> int:
    """Deliver once more what was delivered, or was not, under the id that it had; the new execution's id.

    Raises NotFound, BadRequest when it went to an address that is the policy's no more.
    """
    found = require_delivery(connection, policy, execution_id)
    told = queries.task_payload(connection, execution_id)
    target = queries.target_of(policy, told)
    if target is None:
        raise BadRequest("the policy has no target any more at the address that this was for")
    made = Message(told["delivery"], told["content_type"], found.payload)
    return start(connection, policy.id, policy.targets.index(target), target, found.event_type, made, MANUAL)


def start(
    connection: Connection,
    policy_id: int,
    place: int,
    target: Target,
    event_type: str,
    made: Message,
    trigger: str = EVENT,
) -> int:
    """Have the message delivered to the target at this place among the policy's; the execution's id."""
    told = {"address": target.address, "place": place, "delivery": made.id, "content_type": made.content_type}
    attributes = {"event_type": event_type, "payload": made.body}  # in this order: queries.py counts on it
    job = NewTask(payload=told)
    return executions.start(connection, VENDORS[target.type], policy_id, trigger, [job], extra_attrs=attributes)


def check(content: Content) -> None:
    """Raise BadRequest for a policy that could deliver nothing."""
    if not content.event_types:
        raise BadRequest("empty event type")
    for event_type in content.event_types:
        if event_type not in EVENT_TYPES:
            raise BadRequest(f"unsupported event type {event_type}")
    if not content.targets:
        raise BadRequest(f"empty notification target with policy {content.name}")
    for target in content.targets:
        _check_target(content.name, target)


def _check_target(policy: str, target: Target) -> None:
    _check_address(target.address)
    if target.type not in VENDORS:
        raise BadRequest(f"unsupported target type {target.type} with policy {policy}")
    if target.type != HTTP and target.format:
        raise BadRequest(f"set payload format is not allowed for {target.type}")
    if target.type == HTTP and target.format not in FORMATS:
        raise BadRequest(f"unsupported payload format type: {target.format}")
    if not target.authorization.isprintable() or not target.authorization.isascii():
        raise BadRequest("an auth_header is one line of ASCII characters")


def _check_address(address: str) -> None:
    """What Harbor refuses, in its words, which are those of Go's net/url; and what can be nobody's address."""
    shown = address.rstrip("/")
    if not shown:
        raise BadRequest("empty URL")
    url = url_of(shown)
    scheme = url.partition("://")[0]
    if scheme.lower() not in ("http", "https"):
        raise BadRequest(f"invalid scheme: {scheme}")
    if wrong := _wrong(url):
        raise BadRequest(f'parse "{ascii(url)[1:-1]}": {wrong}')


def _wrong(url: str) -> str:
    """What is wrong with it; empty where nothing is."""
    if not url.isprintable():
        return "net/url: invalid control character in URL"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        return str(error)
    host = parts.netloc.rpartition("@")[2]
    port = _PORT.search(host)
    if port and not (port[1].isdecimal() and int(port[1]) <= _LAST_PORT):
        return f'invalid port "{port[0]}" after host'
    if character := _NO_HOST.search(parts.netloc):
        return f'invalid character "{character[0]}" in host name'
    if escape := _BAD_ESCAPE.search(parts.netloc + parts.path):
        return f'invalid URL escape "{escape[0]}"'
    return "" if parts.hostname else "there is no host in it"


def _sealed(vault: Vault, target: Target, before: Iterable[Target]) -> Target:
    """The target as it is kept, with the secret that one of the same address has had."""
    secret = next((each.secret for each in before if each.address == target.address), "")
    sealed = vault.seal(target.authorization) if target.authorization else ""
    return structs.replace(target, authorization=sealed, secret=secret)


def _values(content: Content, targets: Sequence[Target]) -> dict[str, object]:
    return {
        "name": content.name,
        "description": content.description,
        "creator": content.creator,
        "is_enabled": content.is_enabled,
        "event_types": msgspec.json.encode(list(content.event_types)).decode(),
        "targets": _encoded(targets),
    }


def _set(connection: Connection, policy: Policy, values: dict[str, object]) -> None:
    connection.execute(update(webhook_policy).where(webhook_policy.c.id == policy.id).values(values))


def _encoded(targets: Sequence[Target]) -> str:
    return msgspec.json.encode(list(targets)).decode()


def _taken(content: Content) -> Conflict:
    return Conflict(f"notification policy named {content.name} already exists")
