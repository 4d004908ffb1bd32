"""Write the revision that brings the schema's history to the tables as they are declared.

    .venv/bin/python -m tests.migrations.revise 0002 "what changes"

`--again` rewrites the newest revision instead, which is for one that no release has shipped.
"""

import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import mooring
from mooring.db import schema
from mooring.db.engine import Database
from tests.migrations.fills import FILLS

PACKAGE = Path(mooring.__file__).parent


def import_tables() -> None:
    """Make every table known to the metadata."""
    for path in sorted(PACKAGE.rglob("tables.py")):
        import_module(".".join(["mooring", *path.relative_to(PACKAGE).with_suffix("").parts]))


def revise(number: str, message: str, *, again: bool = False) -> Path:
    """Write the revision and return its file."""
    import_tables()
    config = Config()
    config.set_main_option("script_location", str(PACKAGE / "db" / "migrations"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    if again:
        for old in (PACKAGE / "db" / "migrations" / "versions").glob(f"{number}_*.py"):
            old.unlink()
    config.attributes["batch"] = ScriptDirectory.from_config(config).get_current_head() is not None
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/mooring.db")
        if config.attributes["batch"]:
            schema.migrate(db)
        with db.engine.begin() as connection:
            config.attributes["connection"] = connection
            script = command.revision(config, message, autogenerate=True, rev_id=number)
        db.close_now()
    assert script is not None
    assert not isinstance(script, list)
    path = Path(script.path)
    lines = [line for line in path.read_text().splitlines() if "# ###" not in line]
    fills = [f'    op.execute("""{statement}""")' for statement in FILLS.get(number, ())]
    if (PACKAGE / "db" / "migrations" / f"triggers_{number}.py").exists():
        fills.append(f"    triggers_{number}.upgrade()")
        lines.insert(lines.index("def downgrade() -> None:") + 1, f"    triggers_{number}.downgrade()")
        lines.insert(
            lines.index("from alembic import op") + 1, f"\nfrom mooring.db.migrations import triggers_{number}"
        )
    end = lines.index("def downgrade() -> None:")
    lines[end:end] = [*fills, "", ""]
    # SQLite spells false as 0, which PostgreSQL takes for a number.
    text = "\n".join(lines).replace("sa.text('0')", "sa.false()").replace("sa.text('1')", "sa.true()")
    path.write_text(text + "\n")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)
    return path


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--again"]
    print(revise(*words, again="--again" in sys.argv))
