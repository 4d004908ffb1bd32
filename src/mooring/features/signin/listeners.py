"""What signing in does after the acts of others."""

from sqlalchemy import Connection

from mooring.core.events import UserDeleted
from mooring.features.signin import sessions, tokens


def user_deleted(connection: Connection, event: UserDeleted) -> None:
    """Their sessions and tokens go with them."""
    sessions.end_all(connection, event.user_id)
    tokens.revoke_all(connection, event.user_id)
