"""Events inside a transaction: what follows an act is written with it, or not at all."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection

from mooring.core.events import Event

Listener = Callable[[Connection, Any], None]
Listeners = Mapping[type[Event], Iterable[Listener]]

OPTION: Final = "listeners"  # where an engine keeps them


def emit(connection: Connection, event: Event) -> None:
    """Call the listeners for events of this very type, in their order, in the connection's transaction.

    A listener may write rows and nothing else: the transaction may still fail.
    """
    for listener in connection.get_execution_options().get(OPTION, {}).get(type(event), ()):
        listener(connection, event)
