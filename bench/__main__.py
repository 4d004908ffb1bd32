"""Measure every contender on tmpfs and on disk, and write the tables into docs/performance.md.

python -m bench                                    all of it
python -m bench --rounds 1 --seconds 1 --dry       a look, written nowhere
python -m bench --row blob --medium tmpfs --dry    the rows with this word, on one medium
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Final

from bench import machine, report
from bench.session import Plan, Session

# A folder on disk: /tmp is in memory on some machines.
MEDIA: Final = {"tmpfs": Path("/dev/shm"), "disk": Path("/var/tmp")}


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    plan = Plan(options.rounds, options.seconds, options.row, options.contender)
    lines = [f"- {line}" for line in machine.description(MEDIA["disk"])]
    lines.append(f"- {plan.rounds} rounds, each row {plan.seconds:g} s for each server, medians")
    for medium, place in MEDIA.items():
        if options.medium in medium:
            tables = _measured(medium, place, plan)
            print("\n".join(tables), flush=True)
            lines += tables
    if not options.dry:
        report.write(lines)


def _measured(medium: str, place: Path, plan: Plan) -> list[str]:
    folder = Path(tempfile.mkdtemp(prefix="mooring-bench-", dir=place))
    try:
        session = Session(folder, plan)
        try:
            plain, secure = session.plain(), session.secure()
        finally:
            session.close()
    finally:
        shutil.rmtree(folder)
    return [
        "",
        f"### On {medium}",
        "",
        *report.table(plain),
        "",
        f"### On {medium}, over TLS",
        "",
        *report.table(secure),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each row is measured for each server")
    parser.add_argument("--seconds", type=int, default=5, help="how long one measurement takes")
    parser.add_argument("--row", default="", help="a word in the names of the rows to measure")
    parser.add_argument("--contender", default="", help="a word in the names of the servers to measure")
    parser.add_argument("--medium", default="", help="tmpfs or disk; both when it is not given")
    parser.add_argument("--dry", action="store_true", help="print the tables and write them nowhere")
    return parser.parse_args()


main()
