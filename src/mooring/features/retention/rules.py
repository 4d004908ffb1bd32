"""What a rule says: which artifacts it is about, and which of these it keeps.

An artifact stays when one rule keeps it, with all its tags; the others of the repositories that some rule is about go.
Times are microseconds since the epoch.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import re2
import semver
from msgspec import Struct

from mooring.core.clock import DAY
from mooring.core.errors import BadRequest
from mooring.core.glob import MAX_LENGTH, BadPattern, compiled
from mooring.features.immutability.queries import REPOSITORY, Selector

_GLOB: Final = "doublestar"
_REGEXP: Final = "regexp"
_KINDS: Final = ("", _GLOB, _REGEXP)
_TAGS: Final = ("matches", "excludes")
_REPOSITORIES: Final = ("repoMatches", "repoExcludes")
_ACTIONS: Final = ("", "retain")
_MOST: Final = {"COUNT": 32766, "DAYS": 20190904}  # Harbor's limits
_NO_VERSION: Final = semver.Version(0, 0, 0, "0")  # the least there is


class Candidate(Struct, frozen=True):
    """An artifact that may stay or go. Its times are the latest of its own and its tags', but for `creation_time`,
    which is when it was pushed itself.
    """

    id: int
    digest: str
    type: str
    tags: tuple[str, ...]
    push_time: int
    pull_time: int
    creation_time: int = 0


class Template(Struct, frozen=True):
    """A way to choose. `keep` takes what the rule selects, its number, and the moment; `unit` is what is counted."""

    name: str
    unit: str
    default: int
    keep: Callable[[Sequence[Candidate], int, int], Sequence[Candidate]]


class RetentionSelector(Selector, frozen=True, omit_defaults=True):
    """Which repositories, named without their project, or which tags a rule is about.

    The kind is `doublestar`, or `regexp` for a regular expression (RE2) that the whole name has to match. `extras` is
    JSON: `{"untagged":true}` says that the pattern is meant to match what has no tag.
    """

    def matches(self, name: str) -> bool:
        if self.kind == _REGEXP:
            return _expression(self.pattern).fullmatch(name) is not None
        return super().matches(name)

    def selects_any(self, tags: Sequence[str]) -> bool:
        """Whether an artifact with these tags is one of those: one of its tags is enough, as in Harbor."""
        if not tags:
            return self._is_for_untagged(default=not self.is_excluding) != self.is_excluding
        return any(self.selects(tag) for tag in tags)

    def _is_for_untagged(self, *, default: bool) -> bool:
        return bool(json.loads(self.extras).get("untagged")) if self.extras else default


class RetentionRule(Struct, omit_defaults=True):
    """A rule. `params` holds the template's number under the template's name; the id means nothing."""

    id: int = 0
    priority: int = 0
    disabled: bool = False
    action: str = ""
    template: str = ""
    params: dict[str, Any] = {}
    tag_selectors: list[RetentionSelector] = []
    scope_selectors: dict[str, list[RetentionSelector]] = {}

    def is_about(self, repository: str) -> bool:
        """Whether the rule is in force for the repository, named without its project."""
        selectors = self.scope_selectors.get(REPOSITORY, ())
        return not self.disabled and all(each.selects(repository) for each in selectors)

    def keeps(self, candidates: Sequence[Candidate], moment: int) -> Sequence[Candidate]:
        """Those of a repository's artifacts that stay for this rule."""
        selected = [each for each in candidates if all(one.selects_any(each.tags) for one in self.tag_selectors)]
        template = TEMPLATES[self.template]
        return template.keep(selected, number(self, template), moment)

    def check(self) -> None:
        """Raise BadRequest for a rule that would not do what it says."""
        if self.action not in _ACTIONS:
            raise BadRequest(f"bad request: invalid action of a retention rule: {self.action}; it is retain")
        if self.template not in TEMPLATES:
            known = ", ".join(TEMPLATES)
            raise BadRequest(
                f"bad request: unknown template of a retention rule: {self.template}; it is one of {known}"
            )
        number(self, TEMPLATES[self.template])
        for scope in self.scope_selectors:
            if scope != REPOSITORY:
                raise BadRequest(f"bad request: invalid scope of a retention rule: {scope}; it is {REPOSITORY}")
        for each in self.scope_selectors.get(REPOSITORY, ()):
            _check(each, f"scope_selectors.{REPOSITORY}", _REPOSITORIES)
        for each in self.tag_selectors:
            _check(each, "tag_selectors", _TAGS)


def number(rule: RetentionRule, template: Template) -> int:
    """How many, or how many days; the template's default where the rule says nothing. Raises BadRequest."""
    given = rule.params.get(template.name)
    if given is None or not template.unit:
        return template.default
    most = _MOST[template.unit]
    try:
        value = int(given) if isinstance(given, str | int) and not isinstance(given, bool) else -1
    except ValueError:
        value = -1
    if isinstance(given, float) and given.is_integer():
        value = int(given)
    if not 0 <= value <= most:
        raise BadRequest(f"bad request: invalid {template.name}: {given}; it is a whole number from 0 to {most}")
    return value


def version(tags: Sequence[str]) -> semver.Version:
    """The highest semantic version among the tags, with or without a `v` before it; the least where there is none."""
    return max((_version(tag) for tag in tags), default=_NO_VERSION)


def _version(tag: str) -> semver.Version:
    try:
        return semver.Version.parse(tag.removeprefix("v"), optional_minor_and_patch=True)
    except ValueError:
        return _NO_VERSION


def _check(selector: RetentionSelector, member: str, decorations: Sequence[str]) -> None:
    if selector.kind not in _KINDS:
        raise BadRequest(f"bad request: invalid kind in {member}: {selector.kind}; it is {_GLOB} or {_REGEXP}")
    if selector.decoration not in decorations:
        wanted = " or ".join(decorations)
        raise BadRequest(f"bad request: invalid decoration in {member}: {selector.decoration}; it is {wanted}")
    try:
        _expression(selector.pattern) if selector.kind == _REGEXP else compiled(selector.pattern)
    except BadPattern as error:
        raise BadRequest(f"bad request: invalid pattern in {member}: {selector.pattern}: {error}") from None
    try:
        extras = json.loads(selector.extras or "{}")
    except (ValueError, RecursionError):
        extras = None
    if not isinstance(extras, dict):
        raise BadRequest(f'bad request: invalid extras in {member}: it is JSON such as {{"untagged":true}}')


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> Any:
    """A regular expression that takes time in proportion to what it reads. Raises BadPattern."""
    if len(pattern) > MAX_LENGTH:
        raise BadPattern(f"a pattern may have {MAX_LENGTH} characters, this one has {len(pattern)}")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadPattern(error.args[0].decode("utf-8", "replace")) from None


def _first(key: Callable[[Candidate], Any]) -> Callable[[Sequence[Candidate], int, int], Sequence[Candidate]]:
    """Keep so many, those with the greatest key; of equal ones the latest."""

    def keep(candidates: Sequence[Candidate], count: int, _moment: int) -> Sequence[Candidate]:
        return sorted(candidates, key=lambda each: (key(each), each.push_time, each.id), reverse=True)[:count]

    return keep


def _since(time: Callable[[Candidate], int]) -> Callable[[Sequence[Candidate], int, int], Sequence[Candidate]]:
    """Keep those whose time is within so many days before the moment."""

    def keep(candidates: Sequence[Candidate], days: int, moment: int) -> Sequence[Candidate]:
        return [each for each in candidates if time(each) and time(each) >= moment - days * DAY]

    return keep


def _highest(candidates: Sequence[Candidate], count: int, moment: int) -> Sequence[Candidate]:
    versioned = [each for each in candidates if version(each.tags) > _NO_VERSION]
    return _first(lambda each: version(each.tags))(versioned, count, moment)


def _templates() -> Mapping[str, Template]:
    every = (
        Template("latestPushedK", "COUNT", 10, _first(lambda each: each.push_time)),
        Template("latestPulledN", "COUNT", 10, _first(lambda each: each.pull_time)),
        Template("latestActiveK", "COUNT", 10, _first(lambda each: max(each.push_time, each.pull_time))),
        Template("nDaysSinceLastPush", "DAYS", 30, _since(lambda each: each.push_time)),
        Template("nDaysSinceLastPull", "DAYS", 30, _since(lambda each: each.pull_time)),
        Template("lastXDays", "DAYS", 30, _since(lambda each: each.push_time)),
        Template("latestSemverK", "COUNT", 10, _highest),
        Template("always", "", 0, lambda candidates, _number, _moment: candidates),
    )
    return {each.name: each for each in every}


TEMPLATES: Final = _templates()
