"""Policies and deliveries as the API spells them."""

from typing import Any

from msgspec import Struct

from mooring.core.clock import SECOND, rfc3339
from mooring.features.configuration.vault import Vault
from mooring.features.webhooks.payloads import DEFAULT, EVENT_TYPES, FORMATS
from mooring.features.webhooks.queries import HTTP, TYPES, VENDORS, Attempted, Delivery, Policy, Target
from mooring.features.webhooks.service import Content
from mooring.jobs.kinds import Status


class WebhookTargetObject(Struct, omit_defaults=True):
    """Where is delivered to. The type is `http`, with `payload_format` Default or CloudEvents, or `slack`."""

    type: str = ""
    address: str = ""
    auth_header: str = ""
    skip_cert_verify: bool = False
    payload_format: str = ""

    @classmethod
    def of(cls, target: Target, vault: Vault) -> "WebhookTargetObject":
        authorization = vault.open(target.authorization) if target.authorization else ""
        return cls(target.type, target.address, authorization, target.skips_verification, target.format)

    def content(self) -> Target:
        form = self.payload_format or (DEFAULT if self.type == HTTP else "")
        return Target(self.type, self.address.strip(" "), form, self.skip_cert_verify, self.auth_header)


class WebhookPolicy(Struct, omit_defaults=True, kw_only=True):
    """A policy; of one that is sent the id, the project and the times count nothing."""

    id: int = 0
    name: str = ""
    description: str = ""
    project_id: int = 0
    targets: list[WebhookTargetObject] = []
    event_types: list[str] = []
    creator: str = ""
    creation_time: str | None = None
    update_time: str | None = None
    enabled: bool | None = None

    @classmethod
    def of(cls, policy: Policy, vault: Vault) -> "WebhookPolicy":
        return cls(
            id=policy.id,
            name=policy.name,
            description=policy.description,
            project_id=policy.project_id,
            targets=[WebhookTargetObject.of(each, vault) for each in policy.targets],
            event_types=list(policy.event_types),
            creator=policy.creator,
            creation_time=rfc3339(policy.creation_time),
            update_time=rfc3339(policy.update_time),
            enabled=policy.is_enabled,
        )

    def content(self) -> Content:
        return Content(
            name=self.name,
            description=self.description,
            creator=self.creator,
            is_enabled=bool(self.enabled),
            event_types=self.event_types,
            targets=[each.content() for each in self.targets],
        )


class PayloadFormat(Struct):
    notify_type: str
    formats: list[str]


class SupportedWebhookEventTypes(Struct):
    """What policies can be made of."""

    event_type: list[str]
    notify_type: list[str]
    payload_formats: list[PayloadFormat]

    @classmethod
    def known(cls) -> "SupportedWebhookEventTypes":
        return cls(list(EVENT_TYPES), list(VENDORS), [PayloadFormat(HTTP, list(FORMATS))])


class WebhookLastTrigger(Struct, omit_defaults=True, kw_only=True):
    """When a policy last delivered an event of a type."""

    policy_name: str = ""
    event_type: str = ""
    enabled: bool = False
    creation_time: str
    last_trigger_time: str

    @classmethod
    def of(cls, policy: Policy, event_type: str, moment: int) -> "WebhookLastTrigger":
        return cls(
            policy_name=policy.name,
            event_type=event_type,
            enabled=policy.is_enabled,
            creation_time=rfc3339(policy.creation_time),
            last_trigger_time=rfc3339(moment),
        )


class WebhookJob(Struct, kw_only=True):
    """A delivery as older clients see it; `job_detail` is what is sent."""

    id: int
    policy_id: int
    event_type: str
    notify_type: str
    status: str
    job_detail: str
    creation_time: str
    update_time: str

    @classmethod
    def of(cls, delivery: Delivery) -> "WebhookJob":
        return cls(
            id=delivery.id,
            policy_id=delivery.policy_id,
            event_type=delivery.event_type,
            notify_type=TYPES[delivery.vendor_type],
            status=delivery.status,
            job_detail=delivery.payload,
            creation_time=rfc3339(delivery.start_time),
            update_time=rfc3339(delivery.update_time),
        )


class Metrics(Struct, omit_defaults=True, kw_only=True):
    """How many tasks an execution has, and how many of them are in each state."""

    task_count: int = 0
    success_task_count: int = 0
    error_task_count: int = 0
    pending_task_count: int = 0
    running_task_count: int = 0
    scheduled_task_count: int = 0
    stopped_task_count: int = 0


class Execution(Struct, omit_defaults=True, kw_only=True):
    """A delivery: `extra_attrs` holds the `event_type` and the `payload`, which is the body that is sent."""

    id: int
    vendor_type: str
    vendor_id: int
    status: str
    status_message: str = ""
    metrics: Metrics
    trigger: str
    extra_attrs: dict[str, Any]
    start_time: str
    end_time: str

    @classmethod
    def of(cls, delivery: Delivery) -> "Execution":
        counts = {f"{Status(status).lower()}_task_count": count for status, count in delivery.tasks.items()}
        return cls(
            id=delivery.id,
            vendor_type=delivery.vendor_type,
            vendor_id=delivery.policy_id,
            status=delivery.status,
            status_message=delivery.status_message,
            metrics=Metrics(task_count=sum(delivery.tasks.values()), **counts),
            trigger=delivery.trigger,
            extra_attrs={"event_type": delivery.event_type, "payload": delivery.payload},
            start_time=_seconds(delivery.start_time),
            end_time=_seconds(delivery.end_time),
        )


class Task(Struct, omit_defaults=True, kw_only=True):
    """What carries a delivery out; `run_count` is how often it was tried."""

    id: int
    execution_id: int
    status: str
    status_message: str = ""
    run_count: int = 0
    extra_attrs: dict[str, Any] = {}
    creation_time: str
    update_time: str
    start_time: str
    end_time: str

    @classmethod
    def of(cls, task: Attempted) -> "Task":
        return cls(
            id=task.id,
            execution_id=task.execution_id,
            status=task.status,
            run_count=task.run_count,
            creation_time=_seconds(task.creation_time),
            update_time=_seconds(task.update_time),
            start_time=_seconds(task.start_time),
            end_time=_seconds(task.end_time),
        )


class WebhookSigning(Struct):
    """With which secret what goes to the target of this address is signed; an empty one ends it."""

    address: str = ""
    secret: str = ""


class SignedWebhookTarget(Struct):
    """A target whose deliveries are signed. No answer tells the secret."""

    address: str


def _seconds(moment: int) -> str:
    """A moment as executions and tasks have it, in whole seconds."""
    return f"{rfc3339(moment - moment % SECOND).partition('.')[0]}Z"
