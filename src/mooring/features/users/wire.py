"""People as the API spells them."""

from typing import Annotated

from msgspec import Meta, Struct

from mooring.core.clock import rfc3339
from mooring.features.users.queries import User

Name = Annotated[str, Meta(max_length=255)]


class UserCreationReq(Struct):
    username: Name = ""
    email: Name = ""
    realname: str = ""
    password: str = ""
    comment: str = ""


class UserProfile(Struct):
    email: str = ""
    realname: str = ""
    comment: str = ""


class UserSysAdminFlag(Struct):
    sysadmin_flag: bool = False


class PasswordReq(Struct):
    old_password: str = ""
    new_password: str = ""


class OIDCCliSecretReq(Struct):
    secret: str = ""


class UserResp(Struct, omit_defaults=True, kw_only=True):
    user_id: int
    username: str
    email: str = ""
    realname: str = ""
    comment: str = ""
    sysadmin_flag: bool
    admin_role_in_auth: bool
    creation_time: str
    update_time: str

    @classmethod
    def of(cls, user: User) -> "UserResp":
        return cls(
            user_id=user.id,
            username=user.username,
            email=user.email,
            realname=user.realname,
            comment=user.comment,
            sysadmin_flag=user.is_admin,
            admin_role_in_auth=False,
            creation_time=rfc3339(user.creation_time),
            update_time=rfc3339(user.update_time),
        )


class UserSearchRespItem(Struct):
    user_id: int
    username: str
