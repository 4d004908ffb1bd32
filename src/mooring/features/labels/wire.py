"""Labels as the API spells them."""

from msgspec import Struct

from mooring.core.clock import rfc3339
from mooring.features.labels import queries


class Label(Struct, omit_defaults=True, kw_only=True):
    """A label; of one that is sent the times do not count, and the id only where it is given to an artifact."""

    id: int = 0
    name: str = ""
    description: str = ""
    color: str = ""
    scope: str = ""
    project_id: int = 0
    creation_time: str = ""
    update_time: str = ""

    @classmethod
    def of(cls, label: queries.Label) -> "Label":
        return cls(
            id=label.id,
            name=label.name,
            description=label.description,
            color=label.color,
            scope=label.scope,
            project_id=label.project_id,
            creation_time=rfc3339(label.creation_time),
            update_time=rfc3339(label.update_time),
        )
