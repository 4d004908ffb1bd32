"""Harbor's contract and what the server publishes of itself say the same, but for what differences.yaml lists."""

from typing import Any

import pytest

from tests.contract import table
from tests.contract.contract import NOT_SERVED, SERVED, Routes, by_route, differences, listed, matched, operations
from tests.parts.client import expect
from tests.parts.server import Server


@pytest.fixture
def served(server: Server) -> Routes:
    return by_route(expect(server.client().api("GET", "/swagger.json"), 200).json())


def found(contract: dict[str, Any], served: Routes) -> dict[str, set[str]]:
    """How each operation of the contract differs."""
    wanted = [each for each in operations(contract) if each.tag in SERVED]
    answering = {each.name: served.get((each.method, matched(each.path))) for each in wanted}
    return {
        each.name: set(differences(each, ours)) if (ours := answering[each.name]) else {NOT_SERVED} for each in wanted
    }


def test_operations_are_harbors_or_listed(contract: dict[str, Any], served: Routes, figures: list[str]) -> None:
    meant = listed()
    differing = found(contract, served)
    alike = sum(not each for each in differing.values())
    figures.append(
        f"contract: {alike} of {len(differing)} operations exactly alike, {len(meant)} with listed differences"
    )
    complaints = [
        f"{name}: {difference}"
        for name, each in differing.items()
        for difference in sorted(each - meant.get(name, {}).keys())
    ]
    stale = [
        f"{name}: {difference}"
        for name, each in meant.items()
        for difference in sorted(each.keys() - differing.get(name, set()))
    ]
    assert not complaints, f"{len(complaints)} differences that are not listed:\n" + "\n".join(complaints)
    assert not stale, "listed, but not so:\n" + "\n".join(stale)


def test_the_table_of_operations_is_up_to_date(contract: dict[str, Any], served: Routes) -> None:
    assert table.PAGE.read_text() == table.page(contract, served), "run `python -m tests.contract.table`"


def test_every_listed_difference_says_why() -> None:
    for name, each in listed().items():
        assert all(why.strip() for why in each.values()), name
