"""What every test may ask for: the real parts, a running server, and the length of the run."""

import os
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.parts import s3, spread, tools
from tests.parts.databases import Databases
from tests.parts.deployments import Deployments
from tests.parts.postgres import Postgres
from tests.parts.secrets import Watch
from tests.parts.server import Server

FIGURES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="run the long forms: layers of 2 GB, 200 crash rounds, the container image"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: runs with --full only")
    config.stash[FIGURES] = []
    # The short form tries the same examples every time; the long one looks for new ones. Machines are slow at times.
    patience: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("short", derandomize=True, **patience)
    settings.register_profile("full", max_examples=1000, **patience)
    settings.load_profile("full" if config.getoption("--full") else "short")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--full"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)
    if hasattr(config, "workerinput"):
        items.sort(key=spread.rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return spread.processes()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> spread.Spread:
    return spread.Spread(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = session.config.stash[FIGURES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a process of several has measured; one that crashed tells nothing."""
    node.config.stash[FIGURES] += getattr(node, "workeroutput", {}).get("figures", [])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _without_skips(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    _without_skips(report := (yield))
    return report


def _without_skips(report: Any) -> None:
    """With CI=true a test that is skipped has failed."""
    if report.skipped and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"with CI=true nothing may be skipped: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[FIGURES]:
        terminalreporter.section("figures")
        for line in sorted(config.stash[FIGURES]):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> list[str]:
    """Lines that the run prints at its end."""
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether this is the long form of the run."""
    return bool(pytestconfig.getoption("--full"))


@pytest.fixture(scope="session", autouse=True)
def _no_secret_comes_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No secret of the run stands in an answer or a log; it is the first to begin and the last to end."""
    watch = Watch(tmp_path_factory.mktemp("said"))
    with pytest.MonkeyPatch.context() as patch:
        watch.attach(patch)
        yield
    leaks = watch.leaks()
    assert not leaks, f"{len(leaks)} answers or lines of logs hold a secret:\n" + "\n".join(leaks[:20])


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """The path of a program of tools.toml; a test that asks for one that is not there is skipped."""

    def find(name: str) -> str:
        try:
            return tools.path(name)
        except tools.Missing as reason:
            pytest.skip(str(reason))

    return find


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for the whole run; take a database of your own with `create`."""
    with tempfile.TemporaryDirectory(prefix="mooring-postgres-") as folder:
        try:
            cluster = Postgres(Path(folder))
        except tools.Missing as reason:
            pytest.skip(str(reason))
        yield cluster
        cluster.stop()


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Makes databases with the schema in place; a test that needs none of PostgreSQL starts none."""
    return Databases(tmp_path_factory.mktemp("databases"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def bucket() -> Iterator[s3.Bucket]:
    """A bucket on a real S3 server for the whole run."""
    try:
        tools.path("versitygw")
    except tools.Missing as reason:
        pytest.skip(str(reason))
    with s3.versitygw() as bucket:
        yield bucket


@pytest.fixture(scope="session")
def deployments(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployments]:
    """Servers that are shared by the tests of the run, one of each kind."""
    shared = Deployments(tmp_path_factory.mktemp("deployments"), lambda name: request.getfixturevalue(name))
    yield shared
    shared.stop()


@pytest.fixture
def server(request: pytest.FixtureRequest, deployments: Deployments) -> Server:
    """A running server that tests share: make projects of your own in it. SQLite and a folder, unless parametrised."""
    return deployments.get(getattr(request, "param", "sqlite"))
