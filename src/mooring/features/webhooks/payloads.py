"""What receivers are told of an event: its data, and the body that each kind of receiver reads."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from msgspec import Struct

from mooring.core.clock import SECOND, rfc3339

DEFAULT: Final = "Default"
CLOUD_EVENTS: Final = "CloudEvents"
FORMATS: Final = (DEFAULT, CLOUD_EVENTS)

# Every event type that Harbor knows, in its order, with its name among CloudEvents.
EVENT_TYPES: Final = {
    "PUSH_ARTIFACT": "harbor.artifact.pushed",
    "PULL_ARTIFACT": "harbor.artifact.pulled",
    "DELETE_ARTIFACT": "harbor.artifact.deleted",
    "QUOTA_EXCEED": "harbor.quota.exceeded",
    "QUOTA_WARNING": "harbor.quota.warned",
    "SCANNING_FAILED": "harbor.scan.failed",
    "SCANNING_STOPPED": "harbor.scan.stopped",
    "SCANNING_COMPLETED": "harbor.scan.completed",
    "REPLICATION": "harbor.replication.status.changed",
    "TAG_RETENTION": "harbor.tag_retention.finished",
}

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_JSON: Final = "application/json"
_CLOUD_EVENT: Final = "application/cloudevents+json"
_SLACK_HOSTS: Final = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_SLACK_LONGEST: Final = 3000  # characters of a block's text that Slack takes
_FENCE: Final = "```"


class Happening(Struct, frozen=True):
    """An event as receivers hear of it: `moment` in microseconds, `operator` the account's name, empty for nobody."""

    type: str
    moment: int
    operator: str
    data: Mapping[str, Any]
    project_id: int
    request_id: str = ""


class Message(Struct, frozen=True):
    """A body to send. The id is the same however often it is."""

    id: str
    content_type: str
    body: str


def url_of(address: str) -> str:
    """Where a target's address leads: one that names no scheme is meant for http, as in Harbor."""
    return address if _SCHEME.match(address) else f"http://{address}"


def is_slack(address: str) -> bool:
    """Whether it is the address of one of Slack's incoming webhooks, which take nothing but Slack's own bodies."""
    return urlsplit(url_of(address)).hostname in _SLACK_HOSTS


def message(happening: Happening, policy_id: int, form: str, *, for_slack: bool) -> Message:
    """What a receiver of that format is sent."""
    number = str(uuid4())
    if for_slack:
        return Message(number, _JSON, _encoded(_slack(happening)))
    if form == CLOUD_EVENTS:
        return Message(number, _CLOUD_EVENT, _encoded(_cloud_event(happening, policy_id, number)))
    return Message(number, _JSON, _encoded(_default(happening)))


def _default(happening: Happening) -> dict[str, Any]:
    return {
        "type": happening.type,
        "occur_at": happening.moment // SECOND,
        "operator": happening.operator,
        "event_data": happening.data,
    }


def _cloud_event(happening: Happening, policy_id: int, number: str) -> dict[str, Any]:
    """CloudEvents 1.0, structured mode, with Harbor's extension attributes."""
    request = {"requestid": happening.request_id} if happening.request_id else {}
    return {
        "specversion": "1.0",
        "id": number,
        **request,
        "source": f"/projects/{happening.project_id}/webhook/policies/{policy_id}",
        "type": EVENT_TYPES[happening.type],
        "datacontenttype": _JSON,
        "time": rfc3339(happening.moment),
        "operator": happening.operator,
        "data": happening.data,
    }


def _slack(happening: Happening) -> dict[str, Any]:
    second = happening.moment // SECOND
    when = f"<!date^{second}^{{date}} at {{time}}|{rfc3339(happening.moment)}>"
    data = _escaped(json.dumps(happening.data, indent="\t", ensure_ascii=False))
    texts = (
        "*Harbor webhook events*",
        f"*event_type:* {happening.type}",
        f"*occur_at:* {when}",
        f"*operator:* {_escaped(happening.operator)}",
        "*event_data:*",
        f"{_FENCE}{_shortened(data, _SLACK_LONGEST - 2 * len(_FENCE))}{_FENCE}",
    )
    return {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]}


def _escaped(text: str) -> str:
    """Text in which nothing means anything to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shortened(text: str, longest: int) -> str:
    """The text, or so much of its beginning as there is room for, in whole lines."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 2]
    return f"{kept[: kept.rfind(chr(10)) + 1] or kept}…"


def _encoded(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
