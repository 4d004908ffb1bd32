"""Repositories as the API spells them."""

from msgspec import Struct

from mooring.core.clock import rfc3339
from mooring.features.repositories.queries import Found


class Repository(Struct, omit_defaults=True, kw_only=True):
    """A repository; of one that is sent only the description counts."""

    id: int = 0
    project_id: int = 0
    name: str = ""
    description: str = ""
    artifact_count: int | None = None
    pull_count: int | None = None
    creation_time: str = ""
    update_time: str = ""

    @classmethod
    def of(cls, repository: Found, artifacts: int) -> "Repository":
        return cls(
            id=repository.id,
            project_id=repository.project_id,
            name=repository.name,
            description=repository.description,
            artifact_count=artifacts,
            pull_count=repository.pull_count,
            creation_time=rfc3339(repository.creation_time),
            update_time=rfc3339(repository.update_time),
        )
