"""Harbor's contract, where it is at hand."""

from typing import Any

import pytest

from tests.contract.contract import folder, load


@pytest.fixture(scope="session")
def contract() -> dict[str, Any]:
    found = folder()
    if found is None:
        pytest.skip("the contract is not here: neither ../shared/contract nor MOORING_CONTRACT has a harbor-v2.json")
    return load(found)
