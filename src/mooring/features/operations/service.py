"""Stopping jobs, and holding queues back. Every function is part of the caller's transaction."""

from sqlalchemy import Connection

from mooring.core.errors import BadRequest
from mooring.features.operations.queries import QUEUES
from mooring.jobs import claims, executions, logs

ALL = "all"


def stop_job(connection: Connection, job_id: str) -> None:
    """Stop the job, or with `all` every one that runs. One that is not there is no error, as in Harbor."""
    if job_id == ALL:
        executions.stop_running(connection)
    elif (task_id := logs.task_of(connection, job_id)) is not None:
        executions.stop_task(connection, task_id)


def act_on_queue(connection: Connection, name: str, action: str | None) -> None:
    """Stop what waits of a job type, hold it back (pause) or let it go on (resume); `all` is every type.

    Raises BadRequest for another action.
    """
    kinds = QUEUES if name.lower() == ALL else (name.upper(),)
    match action:
        case "stop":
            for kind in kinds:
                executions.stop_kind(connection, kind)
        case "pause":
            claims.pause(connection, kinds)
        case "resume":
            claims.resume(connection, kinds)
        case _:
            raise BadRequest("bad request: the action is not supported")
