"""What a policy makes of a repository, artifact by artifact. Previews show it, dry runs log it, and runs do it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from graphlib import TopologicalSorter
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, select

from mooring.features.artifacts.tables import artifact, artifact_accessory, artifact_reference, tag
from mooring.features.immutability.queries import matcher
from mooring.features.labels.tables import artifact_label, label
from mooring.features.retention.rules import Candidate, RetentionRule


class Verdict(StrEnum):
    """What happens to an artifact (Harbor's words, and one more)."""

    RETAIN = "RETAIN"
    DELETE = "DEL"
    IMMUTABLE = "IMMUTABLE"  # no rule keeps it, but one of its tags, or of what goes with it, is immutable
    IN_INDEX = "IN INDEX"  # no rule keeps it, but an index that stays names it


class Decision(Struct, frozen=True):
    """`rules` are the places in the policy, from 0, of those that keep the artifact."""

    candidate: Candidate
    verdict: Verdict
    rules: tuple[int, ...] = ()


class Plan(Struct, frozen=True):
    """Decisions on all artifacts of a repository, the latest pushed first."""

    decisions: Sequence[Decision]
    order: Sequence[Candidate]  # those that go: what is in an index, or belongs to a subject, after that

    @property
    def total(self) -> int:
        return len(self.decisions)


class _Relations(Struct, frozen=True):
    """Who belongs to whom in a repository, by ids of artifacts."""

    children: Mapping[int, Sequence[int]]
    parents: Mapping[int, Sequence[int]]
    accessories: Mapping[int, Sequence[int]]
    subjects: Mapping[int, Sequence[int]]


_COLUMNS: Final = (artifact.c.id, artifact.c.digest, artifact.c.type, artifact.c.push_time, artifact.c.pull_time)


def make(
    connection: Connection, rules: Sequence[RetentionRule], project_id: int, repository_id: int, name: str, moment: int
) -> Plan | None:
    """What the rules make of the repository of this full name; None when no rule is about it, and nothing happens."""
    own_name = name.partition("/")[2]
    about = {place: rule for place, rule in enumerate(rules) if rule.is_about(own_name)}
    if not about:
        return None
    tags = _tags(connection, repository_id)
    found = candidates(connection, repository_id)
    kept: dict[int, list[int]] = {}
    for place, rule in about.items():
        for each in rule.keeps(found, moment):
            kept.setdefault(each.id, []).append(place)
    is_immutable = matcher(connection, project_id)
    relations = _relations(connection, repository_id)
    immutable = _held_by(
        [each for each, names in tags.items() if any(is_immutable(name, one) for one in names)], relations, tags
    )
    doomed = {each.id for each in found if each.id not in kept} - immutable
    ids = _ids(connection, repository_id)
    staying = _staying(ids - doomed, {each.id for each in found}, relations)
    decisions = []
    for each in found:
        if each.id in kept:
            verdict = Verdict.RETAIN
        elif each.id in immutable:
            verdict = Verdict.IMMUTABLE
        else:
            verdict = Verdict.IN_INDEX if each.id in staying else Verdict.DELETE
        decisions.append(Decision(each, verdict, tuple(kept.get(each.id, ()))))
    going = {each.candidate.id: each.candidate for each in decisions if each.verdict is Verdict.DELETE}
    return Plan(decisions, [going[each] for each in _parents_first(going, relations)])


def candidates(connection: Connection, repository_id: int, only: int | None = None) -> list[Candidate]:
    """The artifacts that lists show (no accessories, children of indexes only with a tag), or one of them; the latest
    pushed first.
    """
    statement = select(*_COLUMNS).where(artifact.c.repository_id == repository_id, artifact.c.is_listed)
    of_tags = select(tag.c.artifact_id, tag.c.name, tag.c.push_time, tag.c.pull_time).order_by(
        tag.c.push_time.desc(), tag.c.id.desc()
    )
    if only is None:
        of_tags = of_tags.where(tag.c.repository_id == repository_id)
    else:
        statement, of_tags = statement.where(artifact.c.id == only), of_tags.where(tag.c.artifact_id == only)
    tags: dict[int, list[tuple[str, int, int]]] = {}
    for owner, *values in connection.execute(of_tags):
        tags.setdefault(owner, []).append((values[0], values[1], values[2]))
    found = []
    for artifact_id, digest, kind, push_time, pull_time in connection.execute(statement):
        own = tags.get(artifact_id, ())
        pushed = max((push_time, *(each[1] for each in own)))
        pulled = max((pull_time, *(each[2] for each in own)))
        names = tuple(each[0] for each in own)
        found.append(Candidate(artifact_id, digest, kind, names, pushed, pulled, push_time))
    return sorted(found, key=lambda each: (each.push_time, each.id), reverse=True)


def labels(connection: Connection, repository_id: int) -> dict[int, list[str]]:
    """The names of the labels that the repository's artifacts have, by the artifacts' ids."""
    statement = (
        select(artifact_label.c.artifact_id, label.c.name)
        .join(label, label.c.id == artifact_label.c.label_id)
        .join(artifact, artifact.c.id == artifact_label.c.artifact_id)
        .where(artifact.c.repository_id == repository_id)
    )
    found: dict[int, list[str]] = {}
    for owner, name in connection.execute(statement.order_by(label.c.name)):
        found.setdefault(owner, []).append(name)
    return found


def _ids(connection: Connection, repository_id: int) -> set[int]:
    return set(connection.execute(select(artifact.c.id).where(artifact.c.repository_id == repository_id)).scalars())


def _tags(connection: Connection, repository_id: int) -> dict[int, list[str]]:
    tags: dict[int, list[str]] = {}
    for owner, name in connection.execute(
        select(tag.c.artifact_id, tag.c.name).where(tag.c.repository_id == repository_id)
    ):
        tags.setdefault(owner, []).append(name)
    return tags


def _relations(connection: Connection, repository_id: int) -> _Relations:
    references, links = artifact_reference.c, artifact_accessory.c
    in_indexes = (
        select(references.parent_id, references.child_id)
        .join(artifact, artifact.c.id == references.parent_id)
        .where(artifact.c.repository_id == repository_id, references.child_id.is_not(None))
    )
    of_subjects = select(links.subject_id, links.artifact_id).where(
        links.repository_id == repository_id, links.subject_id.is_not(None)
    )
    children, parents = _both_ways((upper, lower) for upper, lower in connection.execute(in_indexes))
    accessories, subjects = _both_ways((upper, lower) for upper, lower in connection.execute(of_subjects))
    return _Relations(children, parents, accessories, subjects)


def _both_ways(pairs: Iterable[tuple[int, int]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    downwards: dict[int, list[int]] = {}
    upwards: dict[int, list[int]] = {}
    for upper, lower in pairs:
        downwards.setdefault(upper, []).append(lower)
        upwards.setdefault(lower, []).append(upper)
    return downwards, upwards


def _held_by(immutable: Sequence[int], relations: _Relations, tags: Mapping[int, Sequence[str]]) -> set[int]:
    """The immutable artifacts, and those that cannot go without taking one along: subjects, and indexes of untagged
    children.
    """
    waiting, held = list(immutable), set(immutable)
    while waiting:
        each = waiting.pop()
        holders = [*relations.subjects.get(each, ()), *(() if each in tags else relations.parents.get(each, ()))]
        fresh = set(holders) - held
        held |= fresh
        waiting += fresh
    return held


def _staying(others: set[int], candidates: set[int], relations: _Relations) -> set[int]:
    """Which artifacts are there afterwards, whatever was decided: `others` are those that no decision takes away, of
    which accessories and children go with the last one that they belong to.
    """

    def is_free(each: int) -> bool:
        return each in candidates or not (relations.parents.get(each) or relations.subjects.get(each))

    waiting = [each for each in others if is_free(each)]
    staying = set(waiting)
    while waiting:
        each = waiting.pop()
        below = {*relations.children.get(each, ()), *relations.accessories.get(each, ())} - staying
        staying |= below
        waiting += below
    return staying


def _parents_first(going: Collection[int], relations: _Relations) -> list[int]:
    """What has to go first comes first: it may hold the others through accessories and children of its own."""
    graph: dict[int, list[int]] = {each: [] for each in going}
    for holders in (relations.parents, relations.subjects):
        for each, upper in holders.items():
            graph.setdefault(each, []).extend(upper)
    return [each for each in TopologicalSorter(graph).static_order() if each in going]
