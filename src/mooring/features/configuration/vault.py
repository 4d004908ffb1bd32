"""Secrets of the configuration at rest: sealed with a key of the installation that is kept apart from them."""

from typing import Final

import structlog
from cryptography.fernet import Fernet, InvalidToken


class Vault:
    """Seals and opens with one key (Fernet: AES-128-CBC and HMAC-SHA-256)."""

    def __init__(self, key: str) -> None:
        self._fernet: Final = Fernet(key)

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text; none when another key has sealed it, as after a backup was put back in parts."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            structlog.get_logger().error("a secret of the configuration was sealed with another key; set it again")
            return ""
