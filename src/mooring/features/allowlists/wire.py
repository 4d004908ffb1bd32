"""Allowlists as the API spells them."""

from msgspec import Struct

from mooring.core.clock import rfc3339
from mooring.features.allowlists.queries import Allowlist


class CVEAllowlistItem(Struct):
    cve_id: str = ""


class CVEAllowlist(Struct, omit_defaults=True, kw_only=True):
    """Of what is sent only `items` and `expires_at` count."""

    id: int = 0
    project_id: int = 0
    expires_at: int | None = None
    items: list[CVEAllowlistItem] | None = None
    creation_time: str = ""
    update_time: str = ""

    @classmethod
    def of_system(cls, allowlist: Allowlist) -> "CVEAllowlist":
        """The system's list. Its id is of no use; clients of Harbor expect one."""
        return cls(
            id=1,
            expires_at=allowlist.expires_at,
            items=[CVEAllowlistItem(item) for item in allowlist.items],
            creation_time=rfc3339(allowlist.creation_time),
            update_time=rfc3339(allowlist.update_time),
        )

    def ids(self) -> list[str]:
        return [item.cve_id for item in self.items or ()]
