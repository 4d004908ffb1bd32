"""Fill a database with what long lists are of: projects, repositories, and one project with many artifacts and tags."""

from typing import Any, Final

from sqlalchemy import Connection
from tests.parts.client import Client, expect

from mooring.core.clock import SECOND, now
from mooring.db.engine import Database

PROJECTS: Final = 10_000
REPOSITORIES: Final = 10_000
TAGS: Final = 100_000
SIZE: Final = 10  # rows of a page
CROWDED: Final = "crowded"  # the project of the many artifacts
MEMBER: Final = "member"  # who has a part in it
PASSWORD: Final = "Sesame-opens-2"

_NUMBERS: Final = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)",
    "postgresql": "(SELECT i FROM generate_series(1::bigint, {count}) AS i)",
}
# Everything is a copy, with other names and times, of the rows that `begin` has made.
_STATEMENTS: Final = (
    (
        PROJECTS,
        "INSERT INTO project (name, owner_id, is_public, is_deleted, is_gated, creation_time, update_time) "
        "SELECT 'project' || i, owner_id, is_public, is_deleted, is_gated, {now} + i, {now} + i "
        "FROM project, {numbers} AS numbers WHERE name = '{crowded}'",
    ),
    (
        REPOSITORIES,
        "INSERT INTO repository (name, project_id, description, pull_count, creation_time, update_time) "
        "SELECT project.name || '/app', id, '', 0, {now} + i, {now} + i "
        "FROM {numbers} AS numbers JOIN project ON project.name = 'project' || i",
    ),
    (
        TAGS,
        "INSERT INTO manifest (digest, media_type, content) SELECT {digest}, media_type, content "
        "FROM manifest, {numbers} AS numbers WHERE manifest.id = (SELECT max(id) FROM manifest)",
    ),
    (
        TAGS,
        "INSERT INTO artifact (repository_id, project_id, digest, type, media_type, manifest_media_type, "
        "artifact_type, manifest_size, size, icon, extra_attrs, annotations, push_time, pull_time, is_listed) "
        "SELECT repository_id, artifact.project_id, {digest}, type, media_type, manifest_media_type, artifact_type, "
        "manifest_size, size, icon, extra_attrs, annotations, {now} + i, pull_time, is_listed "
        "FROM artifact JOIN repository ON repository.id = repository_id, {numbers} AS numbers "
        "WHERE repository.name = '{crowded}/app'",
    ),
    (
        TAGS,
        "INSERT INTO tag (repository_id, artifact_id, name, push_time, pull_time) "
        "SELECT repository_id, artifact.id, 'v' || artifact.id, push_time, pull_time "
        "FROM artifact JOIN repository ON repository.id = repository_id "
        "WHERE repository.name = '{crowded}/app' AND artifact.id NOT IN (SELECT artifact_id FROM tag)",
    ),
    (
        TAGS,
        "INSERT INTO tag (repository_id, artifact_id, name, push_time, pull_time) "
        "SELECT repository_id, artifact.id, 'v' || i, {now} + i, pull_time "
        "FROM artifact JOIN repository ON repository.id = repository_id, {numbers} AS numbers "
        "WHERE repository.name = '{crowded}/all'",
    ),
)
_DIGEST: Final = {
    "sqlite": "'sha256:' || printf('%064d', i)",
    "postgresql": "'sha256:' || lpad(i::text, 64, '0')",
}


def begin(admin: Client) -> None:
    """Make the crowded project with its member, and in it `all`, whose only image will have every tag."""
    user = {"username": MEMBER, "email": "member@example.org", "realname": "M", "password": PASSWORD}
    expect(admin.api("POST", "/users", user), 201)
    expect(admin.api("POST", "/projects", {"project_name": CROWDED}), 201)
    member = {"role_id": 2, "member_user": {"username": MEMBER}}
    expect(admin.api("POST", f"/projects/{CROWDED}/members", member), 201)
    admin.push_image(f"{CROWDED}/all", "latest", b"layer")
    admin.push_image(f"{CROWDED}/app", "latest", b"layer")


def fill(db: Database) -> None:
    """Add the rows to a database that `begin` has seen."""
    db.write_now(_insert)
    if not db.is_sqlite:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _insert(connection: Connection) -> None:
    dialect = connection.dialect.name
    driver: Any = connection.connection.driver_connection
    for count, statement in _STATEMENTS:
        numbers = _NUMBERS[dialect].format(count=count)
        begin = now() - count * SECOND
        driver.execute(statement.format(numbers=numbers, digest=_DIGEST[dialect], now=begin, crowded=CROWDED))
