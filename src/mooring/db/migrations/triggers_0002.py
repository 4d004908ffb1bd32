"""The triggers that keep what each project holds (table project_storage), and the sums for what is there already.

A project holds the blobs that its repositories count (repository_blob.is_counted) and the manifests of its artifacts,
each once. A row that comes is added when nothing else in the project holds the same, one that goes is taken away when
nothing else does, and one that changes is both.

Revision 0002 calls `upgrade` and `downgrade`. A later one that makes SQLite copy one of the tables has to do the same,
since the copy has no triggers.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from alembic import op


class _Trigger(NamedTuple):
    """`row` is NEW where rows come and OLD where they go."""

    name: str
    event: str
    table: str
    row: str


_TRIGGERS: Final = (
    _Trigger("blob_comes", "INSERT", "repository_blob", "NEW"),
    _Trigger("blob_goes", "DELETE", "repository_blob", "OLD"),
    _Trigger("blob_counts", "UPDATE", "repository_blob", "NEW"),
    _Trigger("blob_counted", "UPDATE", "repository_blob", "OLD"),
    _Trigger("manifest_comes", "INSERT", "artifact", "NEW"),
    _Trigger("manifest_goes", "DELETE", "artifact", "OLD"),
)

_SQLITE: Final = {
    "repository_blob": """
        CREATE TRIGGER {name} AFTER {event} ON repository_blob
        WHEN {row}.is_counted AND NOT EXISTS (
            SELECT 1 FROM repository_blob AS other
            WHERE other.blob_id = {row}.blob_id AND other.project_id = {row}.project_id
            AND other.is_counted AND other.repository <> {row}.repository
        )
        BEGIN
            UPDATE project_storage SET bytes = bytes {sign} (SELECT size FROM blob WHERE id = {row}.blob_id)
            WHERE project_id = {row}.project_id;
            INSERT INTO project_storage (project_id, bytes)
            SELECT {row}.project_id, {sign} size FROM blob WHERE id = {row}.blob_id AND changes() = 0;
        END
        """,
    "artifact": """
        CREATE TRIGGER {name} AFTER {event} ON artifact
        WHEN NOT EXISTS (
            SELECT 1 FROM artifact AS other
            WHERE other.digest = {row}.digest AND other.project_id = {row}.project_id AND other.id <> {row}.id
        )
        BEGIN
            UPDATE project_storage SET bytes = bytes {sign} {row}.manifest_size WHERE project_id = {row}.project_id;
            INSERT INTO project_storage (project_id, bytes)
            SELECT {row}.project_id, {sign} {row}.manifest_size WHERE changes() = 0;
        END
        """,
}

# A statement's rows are weighed together: row by row, the sums of a deletion of many would be read through all the
# versions that it leaves behind. Whoever weighs a blob or a manifest has its row to itself until the end of the
# transaction, so that of two at once the later sees what the earlier did. A sum is added to a row that nobody else has
# just now, or to a new one: projects' pushes never wait for each other here.
_ADD_STORAGE: Final = """
    CREATE FUNCTION add_storage(home bigint, change bigint) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE project_storage SET bytes = bytes + change WHERE id = (
            SELECT id FROM project_storage WHERE project_id = home LIMIT 1 FOR UPDATE SKIP LOCKED
        );
        IF NOT FOUND THEN
            INSERT INTO project_storage (project_id, bytes) VALUES (home, change);
        END IF;
    END $$
    """
# What is weighed is looked up piece by piece: the planner knows nothing of how many there are.
_WEIGH: Final = """
    CREATE FUNCTION weigh_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        piece record;
        weight bigint;
        own bigint;  -- rows that the statement itself has brought
        home bigint;
        change bigint := 0;
    BEGIN
        FOR piece IN {pieces} LOOP
            SELECT {size} INTO weight FROM {content} WHERE {key} FOR NO KEY UPDATE;
            own := CASE TG_OP WHEN 'INSERT' THEN piece.times ELSE 0 END;
            CONTINUE WHEN own < (
                SELECT count(*) FROM (
                    SELECT FROM {table} AS other WHERE {same}
                    AND (TG_OP <> 'UPDATE' OR NOT EXISTS (SELECT FROM weighed WHERE {row}))
                    LIMIT own + 1
                ) AS others
            );
            IF piece.project_id <> home THEN
                PERFORM add_storage(home, change);
                change := 0;
            END IF;
            home := piece.project_id;
            change := change + (TG_ARGV[0] || '1')::bigint * weight;
        END LOOP;
        IF home IS NOT NULL THEN
            PERFORM add_storage(home, change);
        END IF;
        RETURN NULL;
    END $$
    """
_POSTGRESQL: Final = (
    _ADD_STORAGE,
    _WEIGH.format(
        table="repository_blob",
        pieces="""
            SELECT project_id, blob_id, count(*) AS times FROM weighed WHERE is_counted
            GROUP BY project_id, blob_id ORDER BY project_id, blob_id
        """,
        size="size",
        content="blob",
        key="id = piece.blob_id",
        same="other.blob_id = piece.blob_id AND other.project_id = piece.project_id AND other.is_counted",
        row="weighed.repository = other.repository AND weighed.blob_id = other.blob_id",
    ),
    _WEIGH.format(
        table="artifact",
        pieces="""
            SELECT project_id, digest, manifest_size, count(*) AS times FROM weighed
            GROUP BY project_id, digest, manifest_size ORDER BY project_id, digest
        """,
        size="piece.manifest_size",
        content="manifest",
        key="digest = piece.digest",
        same="other.digest = piece.digest AND other.project_id = piece.project_id",
        row="weighed.id = other.id",
    ),
)

_SUMS: Final = """
    INSERT INTO project_storage (project_id, bytes)
    SELECT project_id, CAST(SUM(size) AS bigint) FROM (
        SELECT DISTINCT link.project_id, link.blob_id AS held, blob.size
        FROM repository_blob AS link JOIN blob ON blob.id = link.blob_id
        UNION ALL
        SELECT project_id, 0, manifest_size FROM (
            SELECT DISTINCT project_id, digest, manifest_size FROM artifact
        ) AS manifests
    ) AS content GROUP BY project_id
    """


def upgrade() -> None:
    """Sum up what projects hold, give each a quota without limit, and keep the sums from now on."""
    for statement in _statements():
        op.execute(statement)


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for trigger in _TRIGGERS:
        op.execute(f"DROP TRIGGER {trigger.name}" + ("" if is_sqlite else f" ON {trigger.table}"))
    if not is_sqlite:
        op.execute("DROP FUNCTION weigh_repository_blob(), weigh_artifact(), add_storage(bigint, bigint)")


def _statements() -> Iterator[str]:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    yield _SUMS
    yield """
        INSERT INTO quota (project_id, hard, creation_time, update_time)
        SELECT id, -1, creation_time, update_time FROM project WHERE NOT is_deleted
        """
    if not is_sqlite:
        yield from _POSTGRESQL
    for trigger in _TRIGGERS:
        sign = "+" if trigger.row == "NEW" else "-"
        if is_sqlite:
            yield _SQLITE[trigger.table].format(**trigger._asdict(), sign=sign)
        else:
            yield (
                f"CREATE TRIGGER {trigger.name} AFTER {trigger.event} ON {trigger.table} "
                f"REFERENCING {trigger.row} TABLE AS weighed FOR EACH STATEMENT "
                f"EXECUTE FUNCTION weigh_{trigger.table}('{sign}')"
            )
