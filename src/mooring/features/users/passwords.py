"""People's passwords: argon2id. A hash costs 19 MiB and some hundredths of a second, so it belongs in a thread."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# The parameters OWASP's password storage sheet gives for argon2id.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# No password has this hash; verifying against it costs what verifying against a real one does.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw$" + "A" * 43


def hash_password(password: str) -> str:
    """The password in argon2's own encoding, with a salt of its own."""
    return _HASHER.hash(password)


def verify_password(encoded: str, password: str) -> bool:
    """Whether the password is the one that was hashed. An encoding that is none is no error, and no match."""
    try:
        return _HASHER.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False


class Passwords:
    """The same from the event loop, one at a time: there is a process for each core, and argon2 fills one."""

    def __init__(self) -> None:
        self.turn = asyncio.Semaphore(1)

    async def hash(self, password: str) -> str:
        async with self.turn:
            return await asyncio.to_thread(hash_password, password)

    async def verify(self, encoded: str, password: str) -> bool:
        async with self.turn:
            return await asyncio.to_thread(verify_password, encoded, password)
