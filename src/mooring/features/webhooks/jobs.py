"""Delivering, as a task: it is tried until the receiver takes it or it was tried often enough."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from mooring.core.clock import SECOND, now
from mooring.core.errors import RemoteError
from mooring.features.configuration.vault import Vault
from mooring.features.signin.keys import read_keys
from mooring.features.webhooks import queries
from mooring.features.webhooks.payloads import url_of
from mooring.features.webhooks.queries import SLACK, VENDORS, Delivery, Target
from mooring.http.client import Client
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind

_PACE: Final = 1.0  # seconds after a message for Slack, which takes one a second


class Deliverer:
    """Sends what events have left to be sent. A receiver has `patience` seconds to answer; what it does not take is
    sent up to `attempts` times in all. At most `limit` deliveries are under way, so that slow receivers leave room for
    other tasks.
    """

    def __init__(self, client: Client, *, attempts: int, patience: float, limit: int) -> None:
        self._client = client
        self._attempts = attempts
        self._patience = patience
        self._limit = limit

    def kinds(self) -> list[Kind]:
        return [
            Kind(VENDORS[queries.HTTP], self.run, attempts=self._attempts, limit=self._limit),
            Kind(VENDORS[SLACK], self.run_slowly, attempts=self._attempts, limit=1),
        ]

    async def run_slowly(self, context: Context) -> None:
        """Deliver, and let some time pass before the next one."""
        try:
            await self.run(context)
        finally:
            await asyncio.sleep(_PACE)

    async def run(self, context: Context) -> None:
        """Deliver once. Raises RemoteError when the receiver does not take it."""
        delivery, target = await context.db.read(_what, context.execution_id, context.payload)
        if delivery is None or target is None:
            context.log.info("the policy does not deliver to this address any more")
            return
        context.log.info("start to run webhook job")
        context.log.info(f"send request to remote endpoint, body: {delivery.payload}")
        headers = await self._headers(context, delivery, target)
        await self._send(target, headers, delivery.payload.encode())
        context.log.info("success to run webhook job")

    async def _send(self, target: Target, headers: dict[str, str], body: bytes) -> None:
        url = url_of(target.address)
        is_verified = not target.skips_verification
        try:
            async with (
                asyncio.timeout(self._patience),
                self._client.open(
                    "POST", url, headers=headers, content=body, timeout=self._patience, verify=is_verified
                ) as answer,
            ):
                status = answer.status
        except TimeoutError:
            raise RemoteError(f"the receiver did not answer within {self._patience:g} s") from None
        if not 200 <= status < 300:
            redirected = "; redirects are not followed" if 300 <= status < 400 else ""
            raise RemoteError(f"the receiver answered with status {status}{redirected}")

    async def _headers(self, context: Context, delivery: Delivery, target: Target) -> dict[str, str]:
        number, moment = str(context.payload["delivery"]), str(now() // SECOND)
        headers = {
            "Content-Type": str(context.payload["content_type"]),
            "X-Mooring-Event": delivery.event_type,
            "X-Mooring-Delivery": number,
            "X-Mooring-Timestamp": moment,
        }
        if target.authorization or target.secret:
            vault = await context.db.read(_vault)
            if target.authorization and target.type != SLACK:
                headers["Authorization"] = vault.open(target.authorization)
            if target.secret:
                signature = sign(vault.open(target.secret), number, moment, delivery.payload)
                headers["X-Mooring-Signature"] = signature
        return headers


def sign(secret: str, number: str, moment: str, body: str) -> str:
    """The signature of a delivery: HMAC-SHA-256 of its id, its time in seconds and its body, joined by dots."""
    signed = f"{number}.{moment}.{body}".encode()
    return f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _what(connection: Connection, execution_id: int, told: Mapping[str, Any]) -> tuple[Delivery | None, Target | None]:
    """A delivery, and its target as it is now."""
    delivery = queries.delivery(connection, execution_id)
    policy = queries.find(connection, delivery.policy_id) if delivery else None
    return delivery, queries.target_of(policy, told) if policy else None


def _vault(connection: Connection) -> Vault:
    keys = read_keys(connection)
    if keys is None:
        raise RemoteError("the installation's keys are not in the database; `mooring serve` makes them when it starts")
    return Vault(keys.sealing)
