"""Policies, their runs, and previews as the API spells them."""

from typing import Any, Final

from msgspec import Struct, structs

from mooring.core.clock import now, rfc3339
from mooring.core.errors import BadRequest
from mooring.features.retention.plan import Decision, Plan
from mooring.features.retention.queries import Content, Piece, Policy, Run
from mooring.features.retention.rules import RetentionRule
from mooring.jobs.cron import next_after, six_fields
from mooring.jobs.kinds import SCHEDULE, Status

_SCHEDULED: Final = "Schedule"  # how Harbor writes the trigger here


class RetentionRuleTrigger(Struct, omit_defaults=True):
    """`settings` holds the `cron`, empty where the policy is carried out by hand alone; `references` means nothing."""

    kind: str = ""
    settings: dict[str, Any] = {}
    references: dict[str, Any] = {}


class RetentionPolicyScope(Struct, omit_defaults=True):
    """The project's id, at the level `project`."""

    level: str = ""
    ref: int = 0


class RetentionPolicy(Struct, omit_defaults=True, kw_only=True):
    """A policy; of one that is sent the id counts nothing."""

    id: int = 0
    algorithm: str = ""
    rules: list[RetentionRule] = []
    trigger: RetentionRuleTrigger | None = None
    scope: RetentionPolicyScope | None = None

    @classmethod
    def of(cls, policy: Policy) -> "RetentionPolicy":
        content = policy.content
        settings = {"cron": content.cron}
        if content.cron:
            settings["next_scheduled_time"] = rfc3339(next_after(six_fields(content.cron, "tag retention"), now()))
        return cls(
            id=policy.id,
            algorithm=content.algorithm,
            rules=list(content.rules),
            trigger=RetentionRuleTrigger(content.kind, settings),
            scope=RetentionPolicyScope("project", policy.project_id),
        )

    def home(self) -> RetentionPolicyScope:
        """Raises BadRequest when none is given."""
        if self.scope is None:
            raise BadRequest("bad request: a retention policy needs a scope: the level project and its id as ref")
        return self.scope

    def content(self) -> Content:
        """Raises BadRequest for a cron that is no text."""
        trigger = self.trigger or RetentionRuleTrigger()
        cron = trigger.settings.get("cron", "")
        if not isinstance(cron, str):
            raise BadRequest("bad request: the cron of a retention policy is text")
        rules = tuple(structs.replace(rule, id=0) for rule in self.rules)
        return Content(self.algorithm or "or", rules, trigger.kind, cron.strip())


class TriggerRetentionExecutionBody(Struct):
    """Whether a run deletes nothing and only says what it would delete."""

    dry_run: bool = False


class OperateRetentionExecutionBody(Struct):
    """`stop` is the only one."""

    action: str = ""


class RetentionExecution(Struct, omit_defaults=True, kw_only=True):
    """A run of a policy."""

    id: int
    policy_id: int
    start_time: str
    end_time: str
    status: str
    trigger: str
    dry_run: bool = False

    @classmethod
    def of(cls, run: Run) -> "RetentionExecution":
        return cls(
            id=run.id,
            policy_id=run.policy_id,
            start_time=rfc3339(run.start_time),
            end_time=rfc3339(run.end_time),
            status=run.status,
            trigger=_SCHEDULED if run.trigger == SCHEDULE else run.trigger,
            dry_run=bool(run.attributes.get("dry_run")),
        )


class RetentionExecutionTask(Struct, kw_only=True):
    """A repository in a run: how many artifacts it had, and how many stay."""

    id: int
    execution_id: int
    repository: str
    job_id: str
    status: str
    status_code: int
    start_time: str
    end_time: str
    total: int
    retained: int

    @classmethod
    def of(cls, piece: Piece) -> "RetentionExecutionTask":
        return cls(
            id=piece.id,
            execution_id=piece.execution_id,
            repository=piece.attributes.get("repository", ""),
            job_id=piece.job_id,
            status=piece.status,
            status_code=Status(piece.status).code,
            start_time=rfc3339(piece.start_time),
            end_time=rfc3339(piece.end_time),
            total=piece.attributes.get("total", 0),
            retained=piece.attributes.get("retained", 0),
        )


class RetentionDecision(Struct, kw_only=True):
    """An artifact: RETAIN, or DEL, or why it stays though no rule keeps it: IMMUTABLE, IN INDEX.

    `rules` are the places, from 0, of the rules that keep it.
    """

    digest: str
    type: str
    tags: list[str]
    push_time: str
    pull_time: str
    verdict: str
    rules: list[int]

    @classmethod
    def of(cls, decision: Decision) -> "RetentionDecision":
        each = decision.candidate
        return cls(
            digest=each.digest,
            type=each.type,
            tags=list(each.tags),
            push_time=rfc3339(each.push_time),
            pull_time=rfc3339(each.pull_time),
            verdict=decision.verdict,
            rules=list(decision.rules),
        )


class RetentionPreview(Struct, kw_only=True):
    """What a policy would make of a repository now; a page of its artifacts, the latest pushed first.

    `is_selected` says whether any rule is about the repository: if none is, nothing happens to it.
    """

    repository: str
    is_selected: bool
    total: int
    retained: int
    artifacts: list[RetentionDecision]

    @classmethod
    def of(cls, repository: str, plan: Plan | None, start: int, count: int) -> "RetentionPreview":
        """`count` artifacts from the place `start` on, all that are left when it is 0."""
        if plan is None:
            return cls(repository=repository, is_selected=False, total=0, retained=0, artifacts=[])
        shown = plan.decisions[start : start + count if count else None]
        return cls(
            repository=repository,
            is_selected=True,
            total=plan.total,
            retained=plan.total - len(plan.order),
            artifacts=[RetentionDecision.of(each) for each in shown],
        )


class RetentionRuleParamMetadata(Struct):
    type: str
    unit: str
    required: bool


class RetentionRuleMetadata(Struct):
    rule_template: str
    display_text: str
    action: str
    params: list[RetentionRuleParamMetadata]


class RetentionSelectorMetadata(Struct):
    display_text: str
    kind: str
    decorations: list[str]


class RetentionMetadata(Struct):
    """What rules can be made of, as Harbor lists it; Mooring knows more, as its documentation says."""

    templates: list[RetentionRuleMetadata]
    scope_selectors: list[RetentionSelectorMetadata]
    tag_selectors: list[RetentionSelectorMetadata]

    @classmethod
    def known(cls) -> "RetentionMetadata":
        counted = [
            ("latestPushedK", "the most recently pushed # artifacts", "COUNT"),
            ("latestPulledN", "the most recently pulled # artifacts", "COUNT"),
            ("nDaysSinceLastPush", "pushed within the last # days", "DAYS"),
            ("nDaysSinceLastPull", "pulled within the last # days", "DAYS"),
        ]
        templates = [
            RetentionRuleMetadata(name, text, "retain", [RetentionRuleParamMetadata("int", unit, True)])
            for name, text, unit in counted
        ]
        return cls(
            templates=[*templates, RetentionRuleMetadata("always", "always", "retain", [])],
            scope_selectors=[RetentionSelectorMetadata("Repositories", "doublestar", ["repoMatches", "repoExcludes"])],
            tag_selectors=[RetentionSelectorMetadata("Tags", "doublestar", ["matches", "excludes"])],
        )
