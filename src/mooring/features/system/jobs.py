"""What is cleaned up every day: what has ended and nobody needs any more."""

from typing import Final

from sqlalchemy import BigInteger, Connection, cast, delete, func, insert, literal, select, union_all

from mooring.core.clock import DAY, SECOND, now
from mooring.features.artifacts.tables import artifact
from mooring.features.blobs.tables import blob, repository_blob
from mooring.features.configuration.queries import Current
from mooring.features.quotas.tables import project_storage
from mooring.features.signin.tables import personal_token, session, signin_failure
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind

NAME: Final = "SYSTEM_ARTIFACT_CLEANUP"  # Harbor's name for the daily clean-up
CRON: Final = "0 0 0 * * *"
VENDOR: Final = 0
_SHOWN: Final = 90 * DAY  # microseconds that an expired personal token stays for its owner to see


class Cleanup:
    """Sessions, personal tokens and lockouts that are over; and what projects hold is compared with the sums."""

    def __init__(self, configuration: Current) -> None:
        self._configuration = configuration

    def kind(self) -> Kind:
        return Kind(NAME, self.run, limit=1)

    async def run(self, context: Context) -> None:
        """Delete what is over, and correct the sums if they are not what they should be."""
        lifetime = (await self._configuration.read()).session_timeout * 60
        for what, count in (await context.db.write(_delete, lifetime)).items():
            context.log.info(f"{count} {what} were deleted")
        for project_id, change in await context.db.write(recount):
            context.log.warning(f"what project {project_id} holds was corrected by {change} bytes")


def _delete(connection: Connection, lifetime: int) -> dict[str, int]:
    """`lifetime` is how many seconds an unused session lasts."""
    moment = now()
    token = personal_token.c
    over = {
        "sessions": delete(session).where(session.c.last_used < moment - lifetime * SECOND),
        "expired tokens": delete(personal_token).where(token.expires_at > 0, token.expires_at < moment - _SHOWN),
        "failed sign-ins": delete(signin_failure).where(signin_failure.c.locked_until < moment - DAY),
    }
    return {what: connection.execute(statement).rowcount for what, statement in over.items()}


def recount(connection: Connection) -> list[tuple[int, int]]:
    """Correct the sums of what projects hold where they are not what there is; the ids of the projects, and by how
    many bytes. It is one statement: what others commit meanwhile is in both sides of its comparison, or in neither.
    """
    link, held = repository_blob.c, project_storage.c
    counted = select(link.project_id, link.blob_id, blob.c.size).join(blob, blob.c.id == link.blob_id)
    blobs = counted.where(link.is_counted).distinct().subquery()
    columns = (artifact.c.project_id, artifact.c.digest, artifact.c.manifest_size)
    manifests = select(*columns).distinct().subquery()
    parts = union_all(
        select(blobs.c.project_id, blobs.c.size.label("size")),
        select(manifests.c.project_id, manifests.c.manifest_size),
        select(held.project_id, literal(0) - held.bytes),
    ).subquery()
    change = cast(func.sum(parts.c.size), BigInteger)
    wrong = select(parts.c.project_id, change).group_by(parts.c.project_id).having(change != 0)
    corrected = insert(project_storage).from_select(["project_id", "bytes"], wrong)
    return [tuple(row) for row in connection.execute(corrected.returning(held.project_id, held.bytes))]
