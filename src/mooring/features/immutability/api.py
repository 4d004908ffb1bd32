"""Immutable tags: /projects/{project}/immutabletagrules."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from mooring.core.errors import BadRequest
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.immutability import queries, service
from mooring.features.immutability.wire import ImmutableRule
from mooring.features.projects.queries import Project
from mooring.http.access import project as within
from mooring.http.links import created, listed

_RULES: Final = "/projects/{project_name_or_id:str}/immutabletagrules"
_RULE: Final = f"{_RULES}/{{immutable_rule_id:str}}"


@get(_RULES, access=within("immutable-tag", "list"), operation_id="ListImmuRules")
async def list_rules(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
) -> Response[Sequence[ImmutableRule]]:
    rules, total = await db.read(queries.page, project.id, listing)
    return listed(request, [ImmutableRule.of(rule) for rule in rules], total, listing)


@post(_RULES, access=within("immutable-tag", "create"), body="immutableRule", operation_id="CreateImmuRule")
async def create_rule(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    data: JSONBody[ImmutableRule],
) -> Response[None]:
    """Make a rule that protects the tags it selects, from the next request on."""
    rule_id = await db.write(service.create, project.id, data.content(), is_disabled=data.disabled)
    return created(request, rule_id)


@put(_RULE, access=within("immutable-tag", "update"), body="immutableRule", operation_id="UpdateImmuRule")
async def change_rule(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    immutable_rule_id: FromPath[int],
    data: JSONBody[ImmutableRule],
) -> None:
    """Replace a rule, or switch it off and on with `disabled`."""
    if data.id != immutable_rule_id:
        raise BadRequest("the immutable_rule_id doesn't match the id in the payload body of ImmutableRule")
    await db.write(service.change, project.id, immutable_rule_id, data.content(), is_disabled=data.disabled)


@delete(_RULE, access=within("immutable-tag", "delete"), status_code=200, operation_id="DeleteImmuRule")
async def delete_rule(
    db: NamedDependency[Database], project: NamedDependency[Project], immutable_rule_id: FromPath[int]
) -> None:
    await db.write(service.remove, project.id, immutable_rule_id)


HANDLERS: Final = (list_rules, create_rule, change_rule, delete_rule)
