"""Reading repositories."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from mooring.features.repositories.tables import repository


def count(connection: Connection, project_ids: Sequence[int]) -> dict[int, int]:
    """How many repositories each of the projects has; those without any are left out."""
    statement = (
        select(repository.c.project_id, func.count())
        .where(repository.c.project_id.in_(project_ids))
        .group_by(repository.c.project_id)
    )
    return dict(connection.execute(statement).tuples().all())
