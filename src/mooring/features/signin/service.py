"""Who sends a request: Basic credentials, cookies of sessions and ids of tokens become actors.

argon2 costs too much for scripts that send Basic with every call, so a pair that was verified is kept by a keyed hash
for a minute. The account is read every time all the same: a changed password, a disabled or a deleted account ends it
at once. Failures are counted in the database, since a limit kept in one process is multiplied by the workers. Random
secrets, which are those of robots and personal tokens, need neither a slow hash nor a lock.
"""

import asyncio
import base64
import binascii
import hashlib
import secrets
import time
from typing import Final

from mooring.core.actor import Actor
from mooring.core.clock import SECOND, now
from mooring.db.engine import Database
from mooring.features.configuration.queries import Current
from mooring.features.robots import queries as robots
from mooring.features.signin import queries as failures
from mooring.features.signin import sessions, tokens
from mooring.features.signin.uses import Uses
from mooring.features.users import queries as users
from mooring.features.users.passwords import NOBODY, Passwords, verify_password

LOCK: Final = SECOND * 3 // 2  # microseconds after a wrong password in which the right one is refused as well
_KEPT: Final = 60.0  # seconds a verified pair is good for
_PAIRS: Final = 10_000
_UNKNOWN: Final = 4096  # rows that failures of names nobody has may fill


class SignIn:
    """Verifies who calls. One for each process."""

    def __init__(self, db: Database, configuration: Current) -> None:
        self._db = db
        self._configuration = configuration
        self.passwords = Passwords()
        self.uses = Uses(db)
        self._verified: dict[bytes, tuple[int, int, float]] = {}  # fingerprint -> account, its version, good until
        self._key = secrets.token_bytes(32)

    async def basic(self, username: str, password: str) -> Actor | None:
        """Whose credentials these are; None when they are wrong or the account is locked, disabled, expired or gone."""
        if tokens.is_token(password):
            return await self._personal_token(username.casefold(), password)
        prefix = await self._robot_prefix()
        if username.startswith(prefix):
            robot = await self._robot(prefix, username.removeprefix(prefix), password)
            # A prefix that people's names begin with as well must lock nobody out.
            if robot or await users.by_login(self._db.reader, username.casefold()) is None:
                return robot
        return await self._user(username.casefold(), password)

    async def password(self, username: str, password: str) -> Actor | None:
        """Whose password it is, as `basic`; other secrets open no session."""
        return await self._user(username.casefold(), password)

    async def session(self, cookie: str, *, renew: bool = True) -> Actor | None:
        """Who is signed in with a browser; None when the session has ended. It lasts from its last use on, unless
        `renew` is false.
        """
        found = await sessions.find(self._db.reader, cookie)
        if found is None:
            return None
        lifetime = (await self._configuration.read()).session_timeout * 60
        moment = now()
        if found.last_used + lifetime * SECOND <= moment:
            return None
        if renew:
            which = sessions.fingerprint(cookie)
            self.uses.note(sessions.use, which, found.last_used, moment, precision=min(60, lifetime // 10))
        return found.actor

    async def account(self, actor: Actor) -> Actor | None:
        """The account behind a bearer token as it is now; None when it is disabled, expired, revoked or deleted."""
        if actor.scope is not None:
            token = await tokens.by_id(self._db.reader, actor.scope.token)
            return token.actor if token and token.actor.id == actor.id else None
        if actor.kind == "robot":
            robot = await robots.by_id(self._db.reader, await self._robot_prefix(), actor.id)
            return robot.actor if robot else None
        if actor.kind == "user":
            user = await users.by_id(self._db.reader, actor.id)
            return user.actor if user else None
        return None

    async def named(self, name: str, token_id: int = 0) -> Actor | None:
        """The account that has this full name, as a bearer token carries it, or acts by a personal token; None when
        there is none that may act.
        """
        if token_id:
            token = await tokens.by_id(self._db.reader, token_id)
            return token.actor if token and token.actor.name == name else None
        prefix = await self._robot_prefix()
        if name.startswith(prefix):
            robot = await robots.by_name(self._db.reader, prefix, name.removeprefix(prefix))
            if robot:
                return robot.actor
        user = await users.by_login(self._db.reader, name.casefold())
        return user.actor if user and user.actor.name == name else None

    async def _robot_prefix(self) -> str:
        return (await self._configuration.read()).robot_name_prefix

    async def _robot(self, prefix: str, name: str, secret: str) -> Actor | None:
        # No lock: a robot's secret is random, and one job with an old secret must not stop the others.
        return await robots.by_secret(self._db.reader, prefix, name, secret)

    async def _personal_token(self, key: str, text: str) -> Actor | None:
        found = await tokens.by_text(self._db.reader, text)
        if found is None or key not in found.names:
            return None
        self.uses.note(tokens.use, found.token, found.last_used, now())
        return found.actor

    async def _user(self, key: str, password: str) -> Actor | None:
        account = await users.by_login(self._db.reader, key)
        principal = account.key if account else self._unknown(key)
        fingerprint = hashlib.blake2b(f"{key}\0{password}".encode(), key=self._key, digest_size=32).digest()
        if await self._is_locked(principal):
            return None
        if account and self._is_verified(fingerprint, account.actor):
            return account.actor
        async with self.passwords.turn:
            # Others may have waited here for the same pair, or have locked it.
            if await self._is_locked(principal):
                return None
            if account and self._is_verified(fingerprint, account.actor):
                return account.actor
            encoded = account.password if account else NOBODY
            matches = await asyncio.to_thread(verify_password, encoded, password)
            if not account or not matches:
                await self._db.write(failures.count, principal, now() + LOCK)
                return None
        if await failures.locked_until(self._db.reader, principal) is not None:
            await self._db.write(failures.forget, principal)
        self._keep(fingerprint, account.actor)
        return account.actor

    async def _is_locked(self, principal: str) -> bool:
        return (await failures.locked_until(self._db.reader, principal) or 0) > now()

    def _is_verified(self, fingerprint: bytes, actor: Actor) -> bool:
        user_id, version, until = self._verified.get(fingerprint, (0, 0, 0.0))
        return user_id == actor.id and version == actor.version and time.monotonic() < until

    def _keep(self, fingerprint: bytes, actor: Actor) -> None:
        self._verified.pop(fingerprint, None)
        while len(self._verified) >= _PAIRS:
            del self._verified[next(iter(self._verified))]
        self._verified[fingerprint] = (actor.id, actor.version, time.monotonic() + _KEPT)

    def _unknown(self, key: str) -> str:
        """Where failures of a name that nobody has are counted: as a real one's are, but without filling the table."""
        bucket = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) % _UNKNOWN
        return f"#{bucket}"


def parse_basic(header: str) -> tuple[str, str] | None:
    """User name and password of an Authorization header; None when it is of another scheme or malformed (RFC 7617)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if colon and "\0" not in username else None
