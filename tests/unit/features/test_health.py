import asyncio

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
