"""The home that programs run in is the client tests'."""

from tests.clients.conftest import shell

__all__ = ["shell"]
