"""Quotas as the API spells them. Resources are counted by name, of which `storage` is the only one."""

from typing import Any

from msgspec import Struct

from mooring.core.clock import rfc3339
from mooring.features.quotas import queries

ResourceList = dict[str, int]


class Quota(Struct, kw_only=True):
    """`ref` is the project, `{}` when that is gone."""

    id: int
    ref: dict[str, Any]
    hard: ResourceList
    used: ResourceList
    creation_time: str
    update_time: str

    @classmethod
    def of(cls, quota: queries.Quota) -> "Quota":
        project = {"id": quota.project_id, "name": quota.project, "owner_name": quota.owner} if quota.project else {}
        return cls(
            id=quota.id,
            ref=project,
            hard={"storage": quota.hard},
            used={"storage": quota.used},
            creation_time=rfc3339(quota.creation_time),
            update_time=rfc3339(quota.update_time),
        )


class QuotaUpdateReq(Struct):
    hard: ResourceList | None = None
