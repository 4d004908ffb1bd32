"""Making and deleting repositories."""

from typing import Final
from urllib.parse import unquote

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mooring.core.clock import now
from mooring.core.errors import NameUnknown, NotFound
from mooring.db.prepared import Prepared
from mooring.db.turns import take_turns
from mooring.features.projects.queries import Project
from mooring.features.projects.tables import project
from mooring.features.repositories.queries import Found, find
from mooring.features.repositories.tables import repository

# Pushes share the repository's row and a deletion has it alone, so that nothing vanishes that a push has just seen.
_FIND: Final = Prepared(
    select(repository.c.id)
    .where(repository.c.name == bindparam("name"), repository.c.project_id == bindparam("project"))
    .with_for_update(read=True, key_share=True)
)
_SHARE: Final = Prepared(
    select(repository.c.id).where(repository.c.id == bindparam("of")).with_for_update(read=True, key_share=True)
)
_HOLD: Final = Prepared(select(repository.c.id).where(repository.c.id == bindparam("of")).with_for_update())
# Held against the project's deletion until this transaction ends: no repository can come into a project that goes.
_PROJECT: Final = Prepared(
    select(project.c.id)
    .where(project.c.id == bindparam("project"), ~project.c.is_deleted)
    .with_for_update(read=True, key_share=False)
)
_NEW: Final = {name: bindparam(name) for name in ("name", "project_id", "creation_time", "update_time")} | {
    "description": "",
    "pull_count": 0,
}
_ADD: Final = Prepared(
    {
        "sqlite": sqlite.insert(repository).values(_NEW).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(repository).values(_NEW).on_conflict_do_nothing(),
    }
)
_TOUCH: Final = Prepared(
    update(repository)
    .where(repository.c.id == bindparam("of"), repository.c.update_time < bindparam("moment"))
    .values(update_time=bindparam("moment"))
)


def ensure(connection: Connection, project_id: int, name: str) -> int:
    """The id of the repository, made when it is not there yet. Raises NameUnknown when its project was deleted
    meanwhile.
    """
    row = _FIND.one(connection, name=name, project=project_id)
    if row is None:
        take_turns(connection, [turn(name)])
        if _PROJECT.one(connection, project=project_id) is None:
            raise NameUnknown(f"project {name.partition('/')[0]} not found")
        moment = now()
        _ADD.run(connection, name=name, project_id=project_id, creation_time=moment, update_time=moment)
        row = _FIND.sure(connection, name=name, project=project_id)
    found: int = row[0]
    return found


def turn(name: str) -> str:
    """What those take turns on who see to a repository that has no row yet to share or to hold."""
    return f"repository {name}"


def share(connection: Connection, repository_id: int) -> None:
    """Have a deletion of the repository, or of anything in it, wait for this transaction."""
    _SHARE.one(connection, of=repository_id)


def hold(connection: Connection, repository_id: int) -> None:
    """Wait for the pushes to the repository that are under way, and have those that come wait for this transaction."""
    _HOLD.one(connection, of=repository_id)


def touch(connection: Connection, moments: dict[int, int]) -> None:
    """Record when repositories last changed."""
    for repository_id, moment in sorted(moments.items()):
        _TOUCH.run(connection, of=repository_id, moment=moment)


def remove(connection: Connection, repository_id: int) -> None:
    """Delete the row of a repository that holds no artifact any more."""
    connection.execute(delete(repository).where(repository.c.id == repository_id))


def full_name(home: Project, escaped: str) -> str:
    """The repository that a path below the project names; slashes in it are escaped there."""
    return f"{home.name}/{unquote(escaped)}"


def read(connection: Connection, project_id: int, name: str) -> Found:
    """The repository of this full name. Raises NotFound."""
    found = find(connection, project_id, name)
    if found is None:
        raise NotFound(f"repository {name} not found")
    return found


def describe(connection: Connection, project_id: int, name: str, description: str) -> None:
    """Raises NotFound."""
    found = read(connection, project_id, name)
    connection.execute(
        update(repository).where(repository.c.id == found.id).values(description=description, update_time=now())
    )
