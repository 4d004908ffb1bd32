"""What of an event is to be delivered, and to whom: written in the event's own transaction, where a policy listens."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete

from mooring.core import events
from mooring.core.clock import SECOND, now
from mooring.core.errors import OverQuota
from mooring.core.sizes import readable
from mooring.db.events import Listeners
from mooring.features.configuration.queries import Current
from mooring.features.quotas.service import WARNS_AT
from mooring.features.webhooks import queries
from mooring.features.webhooks.payloads import Happening, is_slack, message
from mooring.features.webhooks.queries import SLACK, Target
from mooring.features.webhooks.service import start
from mooring.features.webhooks.tables import webhook_policy
from mooring.observe.logging import REQUEST_ID

Data = Mapping[str, Any]

_MOST_PULLS: Final = 10  # deliveries for the pulls that were counted together in one second


def forget_project(connection: Connection, event: events.ProjectDeleted) -> None:
    """A project's policies go with it; what waits to be delivered finds none."""
    connection.execute(delete(webhook_policy).where(webhook_policy.c.project_id == event.project_id))


class Notices:
    """Makes deliveries of events. `host` is how clients reach this installation, as `host[:port]`."""

    def __init__(self, configuration: Current, host: str) -> None:
        self._configuration = configuration
        self._host = host

    def listeners(self) -> Listeners:
        return {
            events.ArtifactPushed: (self._pushed,),
            events.ArtifactPulled: (self._pulled,),
            events.ArtifactDeleted: (self._deleted,),
            events.QuotaExceeded: (self._quota_exceeded,),
            events.QuotaWarning: (self._quota_warning,),
            events.RetentionFinished: (self._retention_finished,),
        }

    def _pushed(self, connection: Connection, event: events.ArtifactPushed) -> None:
        self._tell(connection, "PUSH_ARTIFACT", event, lambda: self._artifact(connection, event))

    def _deleted(self, connection: Connection, event: events.ArtifactDeleted) -> None:
        self._tell(connection, "DELETE_ARTIFACT", event, lambda: self._artifact(connection, event))

    def _pulled(self, connection: Connection, event: events.ArtifactPulled) -> None:
        times = min(event.count, _MOST_PULLS)
        describe = self._artifact
        self._tell(
            connection, "PULL_ARTIFACT", event, lambda: describe(connection, event), moment=event.moment, times=times
        )

    def _quota_exceeded(self, connection: Connection, event: events.QuotaExceeded) -> None:
        refusal = OverQuota(used=event.used, hard=event.hard, wanted=event.wanted)
        self._tell(connection, "QUOTA_EXCEED", event, lambda: _quota(connection, event, refusal.message))

    def _quota_warning(self, connection: Connection, event: events.QuotaWarning) -> None:
        used, hard = readable(event.used), readable(event.hard)
        details = f"quota usage reach {WARNS_AT}%: resource storage used {used} of {hard}"
        self._tell(connection, "QUOTA_WARNING", event, lambda: _quota(connection, event, details))

    def _retention_finished(self, connection: Connection, event: events.RetentionFinished) -> None:
        self._tell(connection, "TAG_RETENTION", event, lambda: self._retention(event))

    def _tell(
        self,
        connection: Connection,
        event_type: str,
        event: events.ProjectEvent,
        describe: Callable[[], Data],
        *,
        moment: int = 0,
        times: int = 1,
    ) -> None:
        """Write what is to be delivered, one execution for each target. The event is described only if there is one."""
        listening = queries.listening(connection, event.project_id, event_type)
        if not listening or not self._configuration.inside(connection).notification_enable:
            return
        operator = event.actor.name
        happening = Happening(event_type, moment or now(), operator, describe(), event.project_id, REQUEST_ID.get())
        for policy_id, targets in listening:
            for place, target in enumerate(targets):
                for _ in range(times):
                    made = message(happening, policy_id, target.format, for_slack=_is_for_slack(target))
                    start(connection, policy_id, place, target, event_type, made)

    def _artifact(self, connection: Connection, event: events.ArtifactEvent) -> Data:
        tag = next(iter(event.tags), "")
        resource = {
            "digest": event.digest,
            "tag": tag or event.digest,
            "resource_url": f"{self._host}/{event.repository}{f':{tag}' if tag else f'@{event.digest}'}",
        }
        return {"resources": [resource], "repository": _repository(connection, event, event.repository, dated=True)}

    def _retention(self, event: events.RetentionFinished) -> Data:
        own_name = event.repository.partition("/")[2]
        deleted = [
            {
                "type": each.type.lower(),
                "status": "SUCCESS",
                "name_tag": f"{own_name}:{each.tag}" if each.tag else f"{own_name}@{each.digest}",
                "references": None,
            }
            for each in event.deleted
        ]
        told = {
            "total": event.total,
            "retained": event.retained,
            "harbor_hostname": urlsplit(f"//{self._host}").hostname,
            "project_name": event.project,
            "retention_policy_id": event.policy_id,
            "retention_rule": [_rule(each) for each in event.rules],
            "result": "SUCCESS",
            "deleted_artifact": deleted,
        }
        return {"retention": told}


def _is_for_slack(target: Target) -> bool:
    return target.type == SLACK or is_slack(target.address)


def _repository(connection: Connection, event: events.ProjectEvent, full_name: str, *, dated: bool = False) -> Data:
    is_public, made = queries.place(connection, event.project_id, full_name)
    return {
        **({"date_created": made // SECOND} if dated and made else {}),
        "name": full_name.partition("/")[2],
        "namespace": event.project,
        "repo_full_name": full_name,
        "repo_type": "public" if is_public else "private",
    }


def _quota(connection: Connection, event: events.QuotaEvent, details: str) -> Data:
    pushed = [_filled({"digest": event.digest, "tag": event.tag})] if event.digest else []
    return {
        **({"resources": pushed} if pushed else {}),
        "repository": _repository(connection, event, event.repository),
        "custom_attributes": {"Details": details},
    }


def _rule(rule: Mapping[str, Any]) -> Data:
    told = {
        "template": rule.get("template", ""),
        "params": rule.get("params", {}),
        "tag_selectors": _selectors(rule.get("tag_selectors", ())),
        "scope_selectors": {name: _selectors(each) for name, each in rule.get("scope_selectors", {}).items()},
    }
    return _filled(told)


def _selectors(selectors: Iterable[Mapping[str, Any]]) -> list[Data]:
    members = ("kind", "decoration", "pattern", "extras")
    return [{name: each.get(name, "") for name in members} for each in selectors]


def _filled(members: Data) -> Data:
    """Without the members that say nothing, which Harbor leaves out."""
    return {name: value for name, value in members.items() if value}
