"""Reading labels."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, select

from mooring.core.page import Listing
from mooring.db import query
from mooring.db.prepared import Among
from mooring.features.labels.tables import artifact_label, label


class Label(Struct, frozen=True):
    """A label. `scope` is `g` for one that everybody may use and `p` for one of a project; times in microseconds."""

    id: int
    name: str
    description: str
    color: str
    scope: str
    project_id: int
    creation_time: int
    update_time: int


_COLUMNS: Final = tuple(label.c[field] for field in Label.__struct_fields__)
_OF_ARTIFACTS: Final = Among(
    select(artifact_label.c.artifact_id, *_COLUMNS)
    .join(label, label.c.id == artifact_label.c.label_id)
    .order_by(artifact_label.c.creation_time, label.c.id),
    artifact_label.c.artifact_id,
)
_LISTED: Final = {field: label.c[field] for field in Label.__struct_fields__}


def find(connection: Connection, label_id: int) -> Label | None:
    row = connection.execute(select(*_COLUMNS).where(label.c.id == label_id)).one_or_none()
    return None if row is None else Label(*row)


def page(connection: Connection, project_id: int, listing: Listing) -> tuple[list[Label], int]:
    """One page of the labels of the project, of everybody's when it is 0, and how many there are."""
    statement = select(*_COLUMNS).where(label.c.project_id == project_id)
    rows, total = query.page(connection, statement, listing, _LISTED, label.c.id)
    return [Label(*row) for row in rows], total


def of_artifacts(connection: Connection, artifact_ids: Sequence[int]) -> dict[int, list[Label]]:
    """The labels that each of the artifacts carries, in the order in which it got them; artifacts without any are left
    out.
    """
    carried: dict[int, list[Label]] = {}
    for artifact_id, *columns in _OF_ARTIFACTS.all(connection, artifact_ids):
        carried.setdefault(artifact_id, []).append(Label(*columns))
    return carried
