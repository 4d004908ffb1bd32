"""Who follows which events. A feature's own listeners are in its listeners.py."""

from typing import Final

from mooring.db.events import Listeners

LISTENERS: Final[Listeners] = {}
