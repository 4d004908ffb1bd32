"""Who follows which events. A feature's own listeners are in its listeners.py."""

from typing import Final

from mooring.core.events import GroupDeleted, ProjectDeleted, UserDeleted
from mooring.db.events import Listeners
from mooring.features.allowlists import listeners as allowlists
from mooring.features.audit import listeners as audit
from mooring.features.audit.service import Log
from mooring.features.blobs import listeners as blobs
from mooring.features.configuration.queries import Current
from mooring.features.immutability import listeners as immutability
from mooring.features.labels import listeners as labels
from mooring.features.projects import listeners as projects
from mooring.features.quotas import listeners as quotas
from mooring.features.retention import listeners as retention
from mooring.features.robots import listeners as robots
from mooring.features.signin import listeners as signin
from mooring.features.webhooks import listeners as webhooks
from mooring.features.webhooks.listeners import Notices

_LISTENERS: Final[Listeners] = {
    UserDeleted: (projects.forget_user, signin.user_deleted),
    GroupDeleted: (projects.forget_group,),
    ProjectDeleted: (
        robots.forget_project,
        labels.forget_project,
        allowlists.forget_project,
        quotas.forget_project,
        immutability.forget_project,
        retention.forget_project,
        webhooks.forget_project,
        blobs.forget_project,
    ),
}


def listeners(configuration: Current, host: str) -> Listeners:
    """All of them, those included that write the audit log and deliveries of webhooks. `host` is how clients reach this
    installation, as `host[:port]`.
    """
    every = (_LISTENERS, audit.listeners(Log(configuration)), Notices(configuration, host).listeners())
    kinds = {kind for each in every for kind in each}
    return {kind: tuple(follow for each in every for follow in each.get(kind, ())) for kind in kinds}
