"""Making, changing and deleting labels."""

from typing import Final

from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import IntegrityError

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, NotFound
from mooring.features.labels.queries import Label, find
from mooring.features.labels.tables import label
from mooring.features.projects import queries as projects
from mooring.features.projects.service import require

GLOBAL: Final = "g"
OF_PROJECT: Final = "p"
_MAX_NAME: Final = 128  # characters


def create(
    connection: Connection, actor: Actor, *, name: str, description: str, color: str, scope: str, project_id: int
) -> int:
    """Make a label; its id. `project_id` counts only where the scope is a project's.

    Raises BadRequest, Unauthorized, Forbidden, NotFound, Conflict.
    """
    if scope not in (GLOBAL, OF_PROJECT):
        raise BadRequest("unsupported label scope")
    if scope == OF_PROJECT and project_id <= 0:
        raise BadRequest("a label of a project needs the project_id of one")
    require_in(connection, actor, "create", scope, project_id)
    _check_name(name)
    moment = now()
    values = {"name": name, "description": description, "color": color, "scope": scope}
    home = {"project_id": project_id if scope == OF_PROJECT else 0}
    statement = label.insert().values(**values, **home, creation_time=moment, update_time=moment)
    try:
        return int(connection.execute(statement.returning(label.c.id)).scalar_one())
    except IntegrityError:
        raise _taken(name) from None


def read(connection: Connection, actor: Actor, action: str, label_id: int) -> Label:
    """The label, for somebody who may do this with it. Raises NotFound, Unauthorized, Forbidden."""
    found = find(connection, label_id)
    if found is None:
        raise NotFound(f"label {label_id} not found")
    require_in(connection, actor, action, found.scope, found.project_id)
    return found


def change(connection: Connection, label_id: int, *, name: str, description: str, color: str) -> None:
    """Replace what can be changed. Raises BadRequest, Conflict."""
    _check_name(name)
    statement = update(label).where(label.c.id == label_id)
    try:
        connection.execute(statement.values(name=name, description=description, color=color, update_time=now()))
    except IntegrityError:
        raise _taken(name) from None


def remove(connection: Connection, label_id: int) -> None:
    """Delete a label; artifacts lose it."""
    connection.execute(delete(label).where(label.c.id == label_id))


def require_in(connection: Connection, actor: Actor, action: str, scope: str, project_id: int) -> None:
    """Raise Unauthorized, Forbidden or NotFound unless the actor may act on labels of the scope."""
    is_global = scope == GLOBAL
    home = None if is_global else projects.by_id(connection, project_id)
    require(connection, actor, "label", action, home, "" if is_global else str(project_id))


def _check_name(name: str) -> None:
    if not name:
        raise BadRequest("cannot be empty")
    if len(name) > _MAX_NAME:
        raise BadRequest(f"max length is {_MAX_NAME}")


def _taken(name: str) -> Conflict:
    return Conflict(f"label {name} already exists")
