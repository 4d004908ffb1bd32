"""What one line of the log says."""

from typing import Final

from msgspec import Struct

from mooring.core.actor import Actor

_NAME: Final = 255  # characters of a user name that are kept
_CUT: Final = "..."


class Entry(Struct, frozen=True):
    """What was done: the part of a record that says neither who nor when. `project_id` is 0 outside of projects."""

    operation: str
    resource_type: str
    resource: str
    description: str
    project_id: int = 0
    succeeded: bool = True


class Record(Struct, frozen=True, array_like=True):
    """A line of the log, in the order of the table's columns."""

    op_time: int
    user_kind: str
    user_id: int
    username: str
    address: str
    operation: str
    resource_type: str
    resource: str
    project_id: int
    op_desc: str
    op_result: bool

    @classmethod
    def of(cls, actor: Actor, entry: Entry, moment: int) -> "Record":
        """Who has no name goes by what they are: `anonymous`."""
        name = actor.name or actor.kind
        return cls(
            op_time=moment,
            user_kind=actor.kind,
            user_id=actor.id,
            username=name if len(name) <= _NAME else name[: _NAME - len(_CUT)] + _CUT,
            address=actor.address,
            operation=entry.operation,
            resource_type=entry.resource_type,
            resource=entry.resource,
            project_id=entry.project_id,
            op_desc=entry.description,
            op_result=entry.succeeded,
        )
