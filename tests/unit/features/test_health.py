import asyncio

import pytest

from mooring.core.errors import StorageUnavailable
from mooring.features.system.health import Component, Health


def test_faults_are_named_and_probes_asked_once_for_many() -> None:
    asked: list[str] = []

    async def well() -> None:
        asked.append("core")

    async def ill() -> None:
        asked.append("registry")
        raise StorageUnavailable("the folder is not ours to write")

    async def scenario() -> None:
        health = Health({"registry": ill, "core": well})
        expected = [Component("core"), Component("registry", "the folder is not ours to write")]
        answers = await asyncio.gather(*(health.components() for _ in range(5)))
        assert answers == [expected] * 5

    asyncio.run(scenario())
    assert sorted(asked) == ["core", "registry"]


def test_a_fault_is_looked_at_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("mooring.features.system.health.time.monotonic", lambda: clock[0])
    faults = ["down", "", "down"]

    async def part() -> None:
        if fault := faults.pop(0):
            raise StorageUnavailable(fault)

    async def scenario() -> None:
        health = Health({"registry": part})
        assert await health.components() == [Component("registry", "down")]
        clock[0] += 1.1
        assert await health.components() == [Component("registry")]
        clock[0] += 9
        assert await health.components() == [Component("registry")]
        clock[0] += 1.1
        assert await health.components() == [Component("registry", "down")]

    asyncio.run(scenario())
