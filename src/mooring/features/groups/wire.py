"""Groups as the API spells them."""

from msgspec import Struct

from mooring.features.groups.queries import Group


class UserGroup(Struct, omit_defaults=True):
    id: int = 0
    group_name: str = ""
    group_type: int = 0
    ldap_group_dn: str = ""

    @classmethod
    def of(cls, group: Group) -> "UserGroup":
        return cls(group.id, group.name, group.kind, group.dn)


class UserGroupSearchItem(Struct, omit_defaults=True):
    id: int
    group_name: str
    group_type: int = 0

    @classmethod
    def of(cls, group: Group) -> "UserGroupSearchItem":
        return cls(group.id, group.name, group.kind)
