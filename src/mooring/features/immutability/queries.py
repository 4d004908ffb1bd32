"""Reading the rules, and what they make of a tag."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, select

from mooring.core.glob import compiled
from mooring.core.page import Listing
from mooring.db import query
from mooring.db.prepared import Prepared
from mooring.features.immutability.tables import immutable_rule

REPOSITORY: Final = "repository"  # the only scope

_EXCLUDES: Final = frozenset({"excludes", "repoExcludes"})

IsImmutable = Callable[[str, str], bool]


class Selector(Struct, frozen=True, omit_defaults=True):
    """Which names a rule is about: those that match the pattern, or with an excluding decoration the others."""

    kind: str = ""
    decoration: str = ""
    pattern: str = ""
    extras: str = ""

    @property
    def is_excluding(self) -> bool:
        return self.decoration in _EXCLUDES

    def matches(self, name: str) -> bool:
        """Whether the name fits the pattern, whatever the decoration makes of it."""
        return compiled(self.pattern).matches(name)

    def selects(self, name: str) -> bool:
        return self.matches(name) != self.is_excluding


class Content(Struct, frozen=True, omit_defaults=True):
    """What a rule says. Repositories are named without their project."""

    priority: int = 0
    action: str = ""
    template: str = ""
    params: Mapping[str, Any] = {}
    tag_selectors: Sequence[Selector] = ()
    scope_selectors: Mapping[str, Sequence[Selector]] = {}

    def protects(self, repository: str, tag: str) -> bool:
        """Whether one of the selectors of each sort selects the name. Harbor looks at the first ones alone."""
        repositories = self.scope_selectors.get(REPOSITORY, ())
        return any(each.selects(repository) for each in repositories) and any(
            each.selects(tag) for each in self.tag_selectors
        )


class Rule(Struct, frozen=True):
    id: int
    project_id: int
    is_disabled: bool
    content: Content


_decoder: Final = msgspec.json.Decoder(Content)
_COLUMNS: Final = tuple(immutable_rule.c[field] for field in Rule.__struct_fields__)
_LISTED: Final = {"id": immutable_rule.c.id, "disabled": immutable_rule.c.is_disabled}
_ENABLED: Final = Prepared(
    select(immutable_rule.c.content)
    .where(immutable_rule.c.project_id == bindparam("project"), ~immutable_rule.c.is_disabled)
    .order_by(immutable_rule.c.id)
)


def matcher(connection: Connection, project_id: int) -> IsImmutable:
    """Tells of a repository's full name and a tag whether the project's rules, as they are now, make it immutable."""
    rules = [_decoder.decode(content) for (content,) in _ENABLED.all(connection, project=project_id)]

    def is_immutable(repository: str, tag: str) -> bool:
        name = repository.partition("/")[2]
        return any(rule.protects(name, tag) for rule in rules)

    return is_immutable


def find(connection: Connection, rule_id: int) -> Rule | None:
    row = connection.execute(select(*_COLUMNS).where(immutable_rule.c.id == rule_id)).one_or_none()
    return None if row is None else _rule(row)


def page(connection: Connection, project_id: int, listing: Listing) -> tuple[list[Rule], int]:
    """One page of the project's rules, and how many there are."""
    statement = select(*_COLUMNS).where(immutable_rule.c.project_id == project_id)
    rows, total = query.page(connection, statement, listing, _LISTED, immutable_rule.c.id)
    return [_rule(row) for row in rows], total


def _rule(row: Any) -> Rule:
    rule_id, project_id, is_disabled, content = row
    return Rule(rule_id, project_id, is_disabled, _decoder.decode(content))
