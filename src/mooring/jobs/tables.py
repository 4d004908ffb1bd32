"""What the jobs processes of an installation agree on, and what the API shows of their work.

An execution is one run of something (a garbage collection, a retention of a project, a delivery), its tasks are the
pieces that jobs processes take. A task is claimed by one worker at a time; whoever is not its worker any more can
change nothing in it.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from mooring.db.types import Id, Json, identity, metadata, moment

# Who does a thing that is to be done once, whatever the number of nodes, and until when nobody else does it.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    moment("expires"),
)

execution = Table(
    "execution",
    metadata,
    identity(),
    Column("vendor_type", Text, nullable=False),  # a kind's name: GARBAGE_COLLECTION, RETENTION, ...
    Column("vendor_id", Id, nullable=False),  # the policy it runs for; -1 or 0 where there is none
    Column("trigger", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_message", Text, nullable=False, default=""),
    Column("extra_attrs", Json, nullable=False, default="{}"),
    # Single flight: not null while the execution is under way, and then nobody else's.
    Column("flight", Text),
    moment("start_time"),
    moment("update_time"),
    moment("end_time"),
    UniqueConstraint("flight"),
    Index("ix_execution_vendor", "vendor_type", "vendor_id", "start_time"),
    sqlite_autoincrement=True,
)

task = Table(
    "task",
    metadata,
    identity(),
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("job_id", Text, nullable=False),  # 24 hex digits, as clients know them
    Column("status", Text, nullable=False),
    Column("payload", Json, nullable=False, default="{}"),  # ids; what a task is about is read when it runs
    Column("extra_attrs", Json, nullable=False, default="{}"),
    Column("run_count", Integer, nullable=False, default=0, server_default="0"),
    Column("worker", Text, nullable=False, default=""),
    Column("request_id", Text),  # of the act that caused it; null where that was a schedule
    Column("is_stopping", Boolean, nullable=False, default=False, server_default=false()),
    moment("run_at"),  # not before
    moment("creation_time"),
    moment("start_time"),
    moment("update_time"),
    moment("end_time"),
    UniqueConstraint("job_id"),
    Index("ix_task_execution_id", "execution_id", "status"),
    Index("ix_task_status", "status", "run_at"),
    Index("ix_task_kind", "kind", "status"),
    sqlite_autoincrement=True,
)

# What a task says while it runs, in pieces as they come.
job_log = Table(
    "job_log",
    metadata,
    Column("task_id", Id, ForeignKey("task.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
)

# Jobs processes that live: one whose heartbeat is old has died, and its tasks are another's.
worker = Table(
    "worker",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("concurrency", Integer, nullable=False),
    moment("started"),
    moment("heartbeat"),
)

# Kinds whose tasks wait until an administrator lets them go on.
paused_queue = Table("paused_queue", metadata, Column("kind", Text, primary_key=True), moment("since"))

schedule = Table(
    "schedule",
    metadata,
    identity(),
    Column("vendor_type", Text, nullable=False),
    Column("vendor_id", Id, nullable=False),
    Column("cron_type", Text, nullable=False),  # Hourly, Daily, Weekly, Custom: as it was sent
    Column("cron", Text, nullable=False),  # six fields, seconds first, UTC
    Column("parameters", Json, nullable=False, default="{}"),
    moment("next_run"),
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("vendor_type", "vendor_id"),
    Index("ix_schedule_next_run", "next_run"),
    sqlite_autoincrement=True,
)
