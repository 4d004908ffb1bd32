"""What the metrics say of an installation that is not well."""

import asyncio
from pathlib import Path

import pytest
from tests.parts.process import free_port

from mooring.db import schema
from mooring.db.engine import Database
from mooring.measuring import Measures
from mooring.observe.board import Board
from mooring.settings import Http, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A database with nothing in it, and no server."""
    db = Database(f"sqlite:///{tmp_path}/mooring.db")
    schema.migrate(db)
    db.close_now()
    return Settings(data_volume=str(tmp_path), http=Http(host="127.0.0.1", port=free_port()))


def scraped(settings: Settings, *, has_web: bool = True) -> list[str]:
    async def scrape() -> bytes:
        return (await Measures(settings, Board(1), has_web=has_web).render("", "")).body

    return asyncio.run(scrape()).decode().splitlines()


def test_processes_that_do_not_answer_are_down(settings: Settings) -> None:
    lines = scraped(settings)
    assert "harbor_health 0.0" in lines
    down, up = ("core", "jobservice", "portal", "registry"), ("database", "registryctl")
    states = dict.fromkeys(down, 0.0) | dict.fromkeys(up, 1.0)
    for component, state in states.items():
        assert f'harbor_up{{component="{component}"}} {state}' in lines


def test_a_jobs_process_alone_speaks_of_no_web(settings: Settings) -> None:
    lines = scraped(settings, has_web=False)
    assert 'harbor_up{component="database"} 1.0' in lines
    assert not [line for line in lines if 'component="core"' in line]


def test_without_a_database_the_health_is_still_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mooring.db").unlink()
    lines = scraped(settings)
    assert 'harbor_up{component="database"} 0.0' in lines
    assert not [line for line in lines if line.startswith("harbor_project_total")]
    assert "harbor_core_http_inflight_requests 0.0" in lines
