"""What a plan foretells is what a run does; and a plan keeps what the rules, each on its own, would keep."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update
from tests.parts.postgres import Postgres

from mooring.core.actor import Actor
from mooring.core.clock import DAY, now
from mooring.core.errors import Conflict, Precondition
from mooring.core.page import Listing
from mooring.db import schema
from mooring.db.engine import Database
from mooring.features.artifacts import statements
from mooring.features.artifacts.tables import artifact, artifact_accessory, artifact_reference, manifest, tag
from mooring.features.immutability import service as immutability
from mooring.features.immutability.queries import Content as Immutable
from mooring.features.immutability.queries import Selector
from mooring.features.projects.queries import Project, by_id
from mooring.features.projects.tables import project
from mooring.features.repositories.tables import repository
from mooring.features.retention import jobs, plan, service
from mooring.features.retention.plan import Plan, Verdict
from mooring.features.retention.queries import NAME, Content, Policy, find, runs
from mooring.features.retention.rules import Candidate, RetentionRule, RetentionSelector, version
from mooring.features.retention.wire import RetentionExecution
from mooring.jobs import schedules
from mooring.jobs.context import Claimed, Context
from mooring.jobs.kinds import MANUAL
from mooring.jobs.tables import task

TAGS = ["v1", "v1.2", "v2.0.0-rc.1", "2.0.0", "10.0.0", "latest", "main-1", "main-2", "rel-1", "rel-2", "dev", "v9"]
ADMIN = Actor("user", 1, "admin", is_admin=True)


class House:
    """A repository of its own with artifacts drawn from one seed, some in indexes, some accessories of others."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self.draw = random.Random(seed)
        self.name = f"p{seed}/app"
        made = insert(project).values(name=f"p{seed}", owner_id=1).returning(project.c.id)
        self.project_id: int = connection.execute(made).scalar_one()
        values = {"name": self.name, "project_id": self.project_id}
        self.id: int = connection.execute(insert(repository).values(values).returning(repository.c.id)).scalar_one()
        self.moment = now()
        artifacts = [self._artifact(connection, seed, number) for number in range(self.draw.randrange(2, 14))]
        for name in self.draw.sample(TAGS, self.draw.randrange(len(TAGS))):
            owner = self.draw.choice(artifacts)
            times = {"push_time": self._time(), "pull_time": self._time()}
            values = {"repository_id": self.id, "artifact_id": owner, "name": name}
            connection.execute(insert(tag).values(**values, **times))
        for place, lower in enumerate(artifacts[1:], 1):
            self._relate(connection, self.draw.choice(artifacts[:place]), lower)
        for each in artifacts:
            statements.RELIST.run(connection, of=each)
        if self.draw.random() < 0.5:
            selectors = (Selector("doublestar", "matches", self.draw.choice(["rel-*", "v*"])),)
            scope = {"repository": (Selector("doublestar", "repoMatches", "**"),)}
            immutable = Immutable(tag_selectors=selectors, scope_selectors=scope)
            immutability.create(connection, self.project_id, immutable, is_disabled=False)

    def _time(self) -> int:
        return self.draw.choice([0, self.moment - self.draw.randrange(20 * DAY)])

    def _artifact(self, connection: Connection, seed: int, number: int) -> int:
        values = {
            "repository_id": self.id,
            "project_id": self.project_id,
            "digest": f"sha256:{seed:032x}{number:032x}",
            **dict.fromkeys(("type", "media_type", "manifest_media_type"), "IMAGE"),
            **dict.fromkeys(("manifest_size", "size"), 1),
            "push_time": self.moment - self.draw.randrange(20 * DAY),
            "pull_time": self._time(),
        }
        kept = {"digest": values["digest"], "media_type": "IMAGE", "content": b"{}"}
        connection.execute(insert(manifest).values(kept))
        made: int = connection.execute(insert(artifact).values(values).returning(artifact.c.id)).scalar_one()
        return made

    def _relate(self, connection: Connection, upper: int, lower: int) -> None:
        """Put the one into the other, or make it its accessory, or leave both alone."""
        digest = connection.execute(select(artifact.c.digest).where(artifact.c.id == upper)).scalar_one()
        child = connection.execute(select(artifact.c.digest).where(artifact.c.id == lower)).scalar_one()
        match self.draw.randrange(4):
            case 0:
                values = {"parent_id": upper, "child_id": lower, "child_digest": child}
                connection.execute(insert(artifact_reference).values(values))
            case 1:
                subject = {"subject_id": upper, "subject_digest": digest}
                values = {"artifact_id": lower, "repository_id": self.id, "type": "signature.cosign", **subject}
                connection.execute(insert(artifact_accessory).values(values))

    def rules(self) -> tuple[RetentionRule, ...]:
        templates = ("latestPushedK", "latestPulledN", "latestActiveK", "nDaysSinceLastPush", "nDaysSinceLastPull")
        names = self.draw.sample([*templates, "latestSemverK", "always"], self.draw.randrange(1, 4))
        return tuple(self._rule(name) for name in names)

    def _rule(self, name: str) -> RetentionRule:
        pattern = self.draw.choice(["**", "v*", "main-*", "{rel,dev}*", "nothing"])
        chosen = [RetentionSelector("doublestar", self.draw.choice(["matches", "excludes"]), pattern)]
        return RetentionRule(template=name, params={name: self.draw.randrange(8)}, tag_selectors=chosen)

    def plan(self, connection: Connection, rules: tuple[RetentionRule, ...]) -> Plan:
        made = plan.make(connection, rules, self.project_id, self.id, self.name, self.moment)
        assert made is not None
        return made

    def left(self, connection: Connection) -> set[int]:
        return {each.id for each in plan.candidates(connection, self.id)}


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def db(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('retention')}/test.db"
    else:
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    database = Database(url, synchronous="OFF", connections=4)
    schema.migrate(database)
    yield database
    database.close_now()


def begin(connection: Connection, house: House, rules: tuple[RetentionRule, ...]) -> Claimed:
    """A run of a new policy; its one task as a worker gets it."""
    home: Project | None = by_id(connection, house.project_id)
    assert home is not None
    policy = find(connection, service.create(connection, home, Content("or", rules)))
    assert policy is not None
    run = service.start(connection, policy, MANUAL, dry_run=False)
    columns = (task.c.id, task.c.execution_id, task.c.kind, task.c.job_id, task.c.run_count, task.c.payload)
    *values, payload = connection.execute(select(*columns).where(task.c.execution_id == run)).one()
    return Claimed(*values, payload=json.loads(payload))


def kept_by(made: Plan) -> set[int]:
    return {each.candidate.id for each in made.decisions if each.verdict is Verdict.RETAIN}


@pytest.mark.parametrize("seed", range(60))
def test_a_run_does_what_the_plan_foretold(db: Database, seed: int) -> None:
    house = db.write_now(House, seed)
    rules = house.rules()
    foretold = db.read_now(house.plan, rules)
    staying = {each.candidate.id for each in foretold.decisions if each.verdict is not Verdict.DELETE}
    claimed = db.write_now(begin, house, rules)
    asyncio.run(jobs.run(Context(db, claimed)))
    assert db.read_now(house.left) == staying
    assert foretold.total - len(foretold.order) == len(staying)


@pytest.mark.parametrize("seed", range(1000, 1040))
def test_what_any_rule_keeps_alone_stays_and_what_none_keeps_goes_or_is_held(db: Database, seed: int) -> None:
    house = db.write_now(House, seed)
    rules = house.rules()
    together = db.read_now(house.plan, rules)
    kept = [kept_by(db.read_now(house.plan, (rule,))) for rule in rules]
    assert kept_by(together) == set().union(*kept)
    for each in together.decisions:
        assert each.rules == tuple(place for place, alone in enumerate(kept) if each.candidate.id in alone)
        if each.verdict is Verdict.DELETE:
            assert not each.rules


KEYS: dict[str, Callable[[Candidate], Any]] = {
    "latestPushedK": lambda each: each.push_time,
    "latestPulledN": lambda each: each.pull_time,
    "latestActiveK": lambda each: max(each.push_time, each.pull_time),
    "latestSemverK": lambda each: version(each.tags),
}
DAYS: dict[str, Callable[[Candidate], int]] = {
    "nDaysSinceLastPush": lambda each: each.push_time,
    "lastXDays": lambda each: each.push_time,
    "nDaysSinceLastPull": lambda each: each.pull_time,
}


def drawn(seed: int) -> list[Candidate]:
    draw = random.Random(seed)
    moment = now()

    def candidate(number: int) -> Candidate:
        tags = tuple(draw.sample(TAGS, draw.randrange(3)))
        return Candidate(number, "", "IMAGE", tags, moment - draw.randrange(9 * DAY), moment - draw.randrange(9 * DAY))

    return [candidate(number) for number in range(12)]


@pytest.mark.parametrize("template", KEYS)
@pytest.mark.parametrize("seed", range(10))
def test_so_many_are_kept_and_none_that_goes_comes_before_one_of_them(template: str, seed: int) -> None:
    found = drawn(seed)
    count = seed % 5
    kept = RetentionRule(template=template, params={template: count}).keeps(found, now())
    able = [each for each in found if template != "latestSemverK" or any(tag[-1].isdigit() for tag in versions(each))]
    assert len(kept) == min(count, len(able))
    assert {each.id for each in kept} <= {each.id for each in able}
    key = KEYS[template]
    for each in able:
        assert each in kept or all(key(each) <= key(one) for one in kept)


def versions(each: Candidate) -> list[str]:
    return [tag for tag in each.tags if tag.lstrip("v")[0].isdigit()]


@pytest.mark.parametrize("template", DAYS)
def test_what_is_younger_than_so_many_days_is_kept(template: str) -> None:
    found = drawn(1)
    moment = now()
    kept = RetentionRule(template=template, params={template: 4}).keeps(found, moment)
    assert 0 < len(kept) < len(found)
    assert all((each in kept) == (DAYS[template](each) >= moment - 4 * DAY) for each in found)


def test_versions_are_in_their_order() -> None:
    ordered = ["latest", "1", "v1.2", "1.10.0-alpha", "1.10.0-rc.1", "1.10.0", "v2.0.0-1", "2"]
    assert sorted(sorted(ordered), key=lambda tag: version([tag])) == ordered


def test_what_was_tagged_or_pulled_since_is_not_deleted(db: Database) -> None:
    house = db.write_now(House, 2001)
    candidate = db.read_now(house.plan, (RetentionRule(template="latestPushedK", params={"latestPushedK": 0}),)).order[
        0
    ]
    for column in ("pull_time", "push_time"):
        changed = update(artifact).where(artifact.c.id == candidate.id).values({column: now() + DAY})
        db.write_now(lambda connection, changed=changed: connection.execute(changed))
        with pytest.raises(Precondition):
            db.write_now(service.delete_unchanged, ADMIN, house.id, candidate)
        assert candidate.id in db.read_now(house.left)
        (candidate,) = db.read_now(plan.candidates, house.id, candidate.id)
    db.write_now(service.delete_unchanged, ADMIN, house.id, candidate)
    assert candidate.id not in db.read_now(house.left)


def test_a_schedule_starts_a_run_and_no_second_one_beside_it(db: Database) -> None:
    house = db.write_now(House, 2002)

    def make(connection: Connection) -> Policy | None:
        home = by_id(connection, house.project_id)
        assert home is not None
        content = Content("or", (RetentionRule(template="always"),), "Schedule", "0 3 * * *")
        return find(connection, service.create(connection, home, content))

    policy = db.write_now(make)
    assert policy is not None
    due = db.read_now(schedules.find, NAME, policy.id)
    assert due is not None
    assert due.cron == "0 0 3 * * *"
    db.write_now(service.start_due, due)
    with pytest.raises(Conflict):
        db.write_now(service.start_due, due)
    (run,), total = db.read_now(runs, policy.id, Listing())
    assert (total, RetentionExecution.of(run).trigger) == (1, "Schedule")
    with pytest.raises(Precondition):
        db.write_now(service.remove, policy)
    db.write_now(service.stop, policy, run.id)
    db.write_now(service.remove, policy)
    assert db.read_now(find, policy.id) is None
    assert db.read_now(schedules.find, NAME, policy.id) is None
