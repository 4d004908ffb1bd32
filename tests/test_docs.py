"""What the documentation names exists: links and headings, commands and their flags, make targets, dependencies."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from mooring import cli

CHECKOUT = Path(__file__).parents[1]
PAGES = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])
COMMANDS = {"serve", "worker", "migrate", "doctor", "scrub", "user", "version"}

page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))


@page
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert not heading or heading in _headings(target), link


@page
def test_make_targets_are_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    for code in _blocks(page) + _spans(page):
        for target in re.findall(r"\bmake ([a-z]+)", code):
            assert target in targets, code


@page
def test_commands_take_the_arguments_that_blocks_give_them(page: Path) -> None:
    for block in _blocks(page):
        for command in re.findall(r"^(?:[$#] )(?:.* |/\S+/)?mooring (\w.*)$", block, re.MULTILINE):
            words = shlex.split(command)
            if words[0] in COMMANDS:
                cli.app().parse_args(words)


@page
def test_commands_in_sentences_are_there(page: Path) -> None:
    for span in _spans(page):
        for word in re.findall(r"^mooring ([a-z]+)", span):
            assert word in COMMANDS, span


def test_every_command_is_documented() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert {command for command in COMMANDS if f"mooring {command}" in text} == COMMANDS
    assert {name for name in cli.app() if not name.startswith("-")} == COMMANDS


def test_every_page_can_be_reached_from_the_index() -> None:
    reached = {CHECKOUT / "docs" / "index.md"}
    waiting = list(reached)
    while waiting:
        current = waiting.pop()
        for link in re.findall(r"\]\(([^)#\s]+\.md)", current.read_text()):
            target = (current.parent / link).resolve()
            if target in PAGES and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert set(CHECKOUT.glob("docs/**/*.md")) <= reached


def test_the_stack_is_what_is_declared() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    declared = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    declared += [package for group in project["dependency-groups"].values() for package in group]
    rows = re.findall(r"^\| ([a-z0-9-]+) \|", (CHECKOUT / "docs" / "stack.md").read_text(), re.MULTILINE)
    assert set(rows) - {"package"} == {re.split(r"[\[<>=]", package)[0].lower() for package in declared}


def test_no_file_names_somebodys_machine() -> None:
    """Paths that exist on one person's machine only: homes, and folders that checkouts were made in."""
    private = re.compile(r"(?<![\w.}/])/(?:home|root|Users|work)/\w")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        file = CHECKOUT / name
        if file.exists():
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                assert not private.search(line), f"{name}:{number}"


def _blocks(page: Path) -> list[str]:
    return re.findall(r"^```[a-z]*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def _spans(page: Path) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def _headings(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
