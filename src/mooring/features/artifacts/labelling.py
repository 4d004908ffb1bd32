"""Giving labels to artifacts and taking them away."""

from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import IntegrityError

from mooring.core.clock import now
from mooring.core.errors import Conflict, NotFound
from mooring.features.artifacts.queries import Found
from mooring.features.labels import queries as labels
from mooring.features.labels.service import GLOBAL
from mooring.features.labels.tables import artifact_label


def add_label(connection: Connection, found: Found, label_id: int) -> None:
    """Raises NotFound for a label that is neither everybody's nor the project's, Conflict for one that the artifact
    carries already.
    """
    label = labels.find(connection, label_id)
    if label is None:
        raise NotFound(f"label {label_id} not found")
    if label.scope != GLOBAL and label.project_id != found.project_id:
        raise NotFound(f"project id {found.project_id}, label {label_id} not found")
    try:
        connection.execute(insert(artifact_label).values(artifact_id=found.id, label_id=label_id, creation_time=now()))
    except IntegrityError:
        raise Conflict(f"label {label_id} is already added to the artifact {found.id}") from None


def remove_label(connection: Connection, found: Found, label_id: int) -> None:
    """Raises NotFound for a label that the artifact does not carry."""
    carried = (artifact_label.c.artifact_id == found.id) & (artifact_label.c.label_id == label_id)
    if not connection.execute(delete(artifact_label).where(carried)).rowcount:
        raise NotFound(f"reference with label {label_id} and artifact {found.id} not found")
