"""The OCI conformance suite as a program: run it against a registry and read what it counted."""

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.parts.client import Client


class Outcome(NamedTuple):
    """What one run counted: the profile disables tests, the suite skips what the registry does not support."""

    tests: int
    failed: int
    skipped: int
    disabled: int
    complaints: list[str]

    def __str__(self) -> str:
        return f"{self.tests} tests, {self.failed} failed, {self.skipped} skipped, {self.disabled} disabled"


def run(program: str, client: Client, project: str, profile: str, options: Mapping[str, str], results: Path) -> Outcome:
    """Run one profile with the client's account in the project. Raises AssertionError when the suite does not run."""
    settings = {
        "OCI_VERSION": profile,
        "OCI_REGISTRY": client.host,
        "OCI_TLS": "disabled",
        "OCI_REPO1": f"{project}/first",
        "OCI_REPO2": f"{project}/second",
        "OCI_USERNAME": client.username,
        "OCI_PASSWORD": client.password,
        "OCI_RESULTS_DIR": str(results),
        **options,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OCI_")} | settings
    done = subprocess.run([program], env=environment, cwd=results.parent, capture_output=True, text=True, check=False)
    report = results / "junit.xml"
    # A setting that it does not understand makes the suite print a line and exit with 0.
    assert report.exists(), f"the suite did not run: {done.stderr[-2000:]}"
    root = ElementTree.parse(report).getroot()  # noqa: S314 - written by the program that we have just run
    count = {name: int(root.get(name) or 0) for name in ("tests", "failures", "errors", "skipped", "disabled")}
    return Outcome(
        count["tests"], count["failures"] + count["errors"], count["skipped"], count["disabled"], _complaints(root)
    )


def _complaints(root: ElementTree.Element) -> list[str]:
    """Each test that did not pass, with what the suite has against it and the requests it sent."""
    complaints = []
    for case in root.iter("testcase"):
        if case.get("status") != "passed" and (verdict := case.findtext("system-out")):
            requests = case.findtext("system-err", "")[:4000]
            complaints.append(f"{case.get('status')}: {case.get('name')}\n{verdict}\n{requests}")
    return complaints
