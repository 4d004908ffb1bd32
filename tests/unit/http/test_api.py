"""The frame of the control API, apart from any feature."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from litestar import get

import mooring
from mooring.http.api import build

BUILD = """
import sys
from pathlib import Path
from mooring.db.engine import Database
from mooring.features.api import build_api
from mooring.features.audit.service import Log
from mooring.features.configuration.queries import Current
from mooring.features.signin.service import SignIn
from mooring.settings import Settings
from mooring.storage.filesystem import Filesystem

db = Database(f"sqlite:///{sys.argv[1]}/mooring.db")
configuration = Current(db.reader)
store = Filesystem(Path(sys.argv[1]))
build_api(Settings(data_volume=sys.argv[1]), db, configuration, SignIn(db, configuration), Log(configuration), store)
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"pydantic", "alembic", "dbos"}))
"""


def test_a_web_process_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(tmp_path)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() == []


def test_a_handler_that_names_nobody_lets_nobody_in() -> None:
    @get("/open")
    async def forgotten() -> None: ...

    async def admit(request: object) -> None: ...

    with pytest.raises(ValueError, match="does not say whom it lets in"):
        build([forgotten], [], admit, {}, {})


def test_only_pages_and_browsers_forms_are_left_out_of_the_description() -> None:
    sources = Path(mooring.__file__).parent.rglob("*.py")
    hidden = re.compile(
        r'^@\w+\(\s*"([^"]+)"(?:(?!^async def|^def).)*?include_in_schema=False', re.MULTILINE | re.DOTALL
    )
    found = {path for source in sources for path in hidden.findall(source.read_text())}
    assert found == {"/swagger.json", "/docs", "/docs/{asset:str}", "/c/login", "/c/log_out", "/c/userExists"}
