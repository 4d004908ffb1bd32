"""Making, changing and deleting rules, and refusing what they forbid."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, select, update

from mooring.core.errors import BadRequest, Conflict, NotFound, Precondition
from mooring.core.glob import BadPattern, compiled
from mooring.db.turns import take_turns
from mooring.features.immutability.queries import REPOSITORY, Content, Rule, Selector, find, matcher
from mooring.features.immutability.tables import immutable_rule

_ACTIONS: Final = ("", "immutable")
_TEMPLATES: Final = ("", "immutable_template")
_KINDS: Final = ("", "doublestar")
_TAGS: Final = ("matches", "excludes")
_REPOSITORIES: Final = ("repoMatches", "repoExcludes")


def check(connection: Connection, project_id: int, repository: str, tags: Iterable[str], done: str) -> None:
    """Raise Precondition when one of the repository's tags is immutable; `done` is what would be done with it:
    `updated`, `deleted`.
    """
    is_immutable = matcher(connection, project_id)
    for tag in tags:
        if is_immutable(repository, tag):
            raise Precondition(f"the tag {tag} configured as immutable, cannot be {done}")


def create(connection: Connection, project_id: int, content: Content, *, is_disabled: bool) -> int:
    """Make a rule; its id. Raises BadRequest, Conflict when the project has the same already."""
    _check(content)
    _check_new(connection, project_id, content)
    values = {"project_id": project_id, "is_disabled": is_disabled, "content": _encoded(content)}
    rule_id: int = connection.execute(
        immutable_rule.insert().values(values).returning(immutable_rule.c.id)
    ).scalar_one()
    return rule_id


def change(connection: Connection, project_id: int, rule_id: int, content: Content, *, is_disabled: bool) -> None:
    """Replace a rule of the project; without selectors it is only switched off or on. Raises NotFound, BadRequest,
    Conflict.
    """
    found = read(connection, project_id, rule_id)
    if not (content.tag_selectors or content.scope_selectors) and is_disabled != found.is_disabled:
        content = found.content
    _check(content)
    _check_new(connection, project_id, content, besides=rule_id)
    values = {"is_disabled": is_disabled, "content": _encoded(content)}
    connection.execute(update(immutable_rule).where(immutable_rule.c.id == rule_id).values(values))


def remove(connection: Connection, project_id: int, rule_id: int) -> None:
    """Delete a rule of the project. Raises NotFound."""
    read(connection, project_id, rule_id)
    connection.execute(delete(immutable_rule).where(immutable_rule.c.id == rule_id))


def read(connection: Connection, project_id: int, rule_id: int) -> Rule:
    """The project's rule. Raises NotFound, also for another project's."""
    found = find(connection, rule_id)
    if found is None:
        raise NotFound(f"immutable rule {rule_id} not found")
    if found.project_id != project_id:
        raise NotFound(f"resource not found: project id {project_id} does not match")
    return found


def _check(content: Content) -> None:
    """Raise BadRequest for a rule that could not make any tag immutable."""
    if content.action not in _ACTIONS:
        raise BadRequest(f"invalid action of an immutable rule: {content.action}; it is immutable")
    if content.template not in _TEMPLATES:
        raise BadRequest(f"invalid template of an immutable rule: {content.template}; it is immutable_template")
    for scope in content.scope_selectors:
        if scope != REPOSITORY:
            raise BadRequest(f"invalid scope of an immutable rule: {scope}; it is {REPOSITORY}")
    _check_selectors("scope_selectors.repository", content.scope_selectors.get(REPOSITORY, ()), _REPOSITORIES)
    _check_selectors("tag_selectors", content.tag_selectors, _TAGS)


def _check_selectors(member: str, selectors: Sequence[Selector], decorations: Sequence[str]) -> None:
    if not selectors:
        raise BadRequest(f"an immutable rule without {member} protects nothing; name at least one selector")
    for each in selectors:
        if each.kind not in _KINDS:
            raise BadRequest(f"invalid kind in {member}: {each.kind}; it is doublestar")
        if each.decoration not in decorations:
            raise BadRequest(f"invalid decoration in {member}: {each.decoration}; it is {' or '.join(decorations)}")
        try:
            compiled(each.pattern)
        except BadPattern as error:
            raise BadRequest(f"invalid pattern in {member}: {each.pattern}: {error}") from None


def _check_new(connection: Connection, project_id: int, content: Content, besides: int = 0) -> None:
    take_turns(connection, [f"immutable rules {project_id}"])
    same = select(immutable_rule.c.id).where(
        immutable_rule.c.project_id == project_id,
        immutable_rule.c.content == _encoded(content),
        immutable_rule.c.id != besides,
    )
    if connection.execute(same).first():
        raise Conflict("immutable rule already exists")


def _encoded(content: Content) -> str:
    return msgspec.json.encode(content, order="sorted").decode()
