"""Every operation against everybody who may call it: nobody gets in who should not, nobody is kept out who should."""

from collections.abc import Iterator

import pytest

from tests.api.demands import CASES, MATRIX, NOBODY, Case, Demand
from tests.api.tenants import Caller, Tenants
from tests.parts.client import expect
from tests.parts.deployments import Deployments


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def tenants(request: pytest.FixtureRequest, deployments: Deployments) -> Tenants:
    made = Tenants(deployments.get(request.param))
    return made


@pytest.fixture(scope="module")
def operations(tenants: Tenants) -> list[str]:
    """The operations that the server says it has."""
    described = expect(tenants.admin.api("GET", "/swagger.json"), 200).json()
    return [
        f"{method.upper()} {path}"
        for path, item in described["paths"].items()
        for method in item
        if method != "servers"
    ]


def may(caller: Caller, demand: Demand, project: str, tenants: Tenants) -> bool:
    """Whether the operation is the caller's to call, by the tables of the reference."""
    match demand.realm:
        case "nobody":
            return False
        case "anybody":
            return True
        case "signed in":
            return caller.kind != "anonymous"
        case _ if caller.kind == "admin":
            return True
        case "administrators":
            return False
        case "whole account":
            return caller.kind in ("user", "robot")
        case "project admins":
            return caller.kind in ("user", "token") and caller.leads
        case "creators":
            return caller.kind == "user" or caller.name == "system robot"
        case "system":
            return demand.right in caller.system
    if demand.realm == "signed in project" and caller.kind == "anonymous":
        return False
    if project == tenants.public and "P" in MATRIX[demand.right]:
        return True
    if project == tenants.private and caller.kind in ("robot", "token"):
        return demand.right in caller.granted
    return project in (tenants.private, tenants.public) and caller.role in MATRIX[demand.right]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operation} as {':'.join(case.demand)}")
def test_everybody_gets_what_the_table_says(case: Case, tenants: Tenants, operations: list[str]) -> None:
    assert case.operation in operations
    wrong = [
        complaint
        for project in (tenants.private, tenants.public, "no-such-project")
        for caller in tenants.callers
        for complaint in _complaints(case, caller, project, tenants)
    ]
    assert not wrong, "\n".join(wrong)


def _complaints(case: Case, caller: Caller, project: str, tenants: Tenants) -> Iterator[str]:
    in_project = "project" in case.demand.realm and case.demand.realm != "project admins"
    is_named = "{project_name" in case.operation
    if project != tenants.private and not (in_project and (is_named or project == tenants.public)):
        return
    places = tenants.places(project)
    anew = case.operation.startswith("DELETE")
    places |= {name: tenants.filled(value, places, anew=anew) for name, value in case.places.items()}
    body = tenants.filled(case.body, places, anew=anew)
    answer = tenants.call(caller, case.operation, places, body, tenants.filled(case.query, places, anew=anew))
    expected = may(caller, case.demand, project, tenants)
    refused = 401 if caller.kind == "anonymous" or case.demand == NOBODY else 403
    right = answer.status not in (401, 403, 422) and answer.status < 500 if expected else answer.status == refused
    if project == "no-such-project" and expected:
        right = answer.status == 404
    if not right:
        wanted = "be let in" if expected else f"get {refused}"
        yield f"{caller.name} should {wanted} on {project}, got {answer.status}: {answer.body[:200]!r}"


def test_every_operation_is_in_the_table_and_nothing_else(operations: list[str]) -> None:
    tabled = {case.operation for case in CASES}
    assert set(operations) - tabled == set(), "operations that tests/api/demands.py says nothing of"
    assert tabled - set(operations) == set(), "operations of tests/api/demands.py that are not served"


CHILDREN = (
    "mid",
    "immutable_rule_id",
    "reference",
    "tag_name",
    "repository_name",
    "label_id",
    "robot_id",
    "webhook_policy_id",
)
# As in Harbor, these are content with what is not there: they list nothing, or have nothing to remove.
CONTENT = {
    "GET /projects/{project_name}/repositories/{repository_name}/artifacts",
    "DELETE /projects/{project_name_or_id}/members/{mid}",
}
COPY = "POST /projects/{project_name}/repositories/{repository_name}/artifacts"  # makes the repository that it names


@pytest.mark.parametrize("child", CHILDREN)
def test_what_is_the_other_tenants_is_not_under_ones_own(child: str, tenants: Tenants, operations: list[str]) -> None:
    theirs = tenants.children()[child]
    before = tenants.snapshot(tenants.other)
    own = next(caller for caller in tenants.callers if caller.role == "A")
    asked = [each for each in operations if "{project_name" in each and f"{{{child}}}" in each and each != COPY]
    assert asked
    wrong = []
    for operation in asked:
        case = next(case for case in CASES if case.operation == operation)
        places = tenants.places(tenants.private) | {child: theirs}
        answer = tenants.call(own, operation, places, tenants.filled(case.body, places, anew=False), case.query)
        if answer.status != (200 if operation in CONTENT else 404):
            wrong.append(f"{operation}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert tenants.snapshot(tenants.other) == before


def test_nothing_is_copied_out_of_a_project_that_one_may_not_read(tenants: Tenants) -> None:
    own = next(caller for caller in tenants.callers if caller.role == "A")
    places = tenants.places(tenants.private) | {"repository_name": "stolen"}
    for source in (f"{tenants.other}/app:v1", f"{tenants.other}/app@{tenants.digests[tenants.other]}"):
        assert tenants.call(own, COPY, places, None, f"from={source}").status in (403, 404)
    expect(tenants.admin.api("GET", f"/projects/{tenants.private}/repositories/stolen"), 404)
