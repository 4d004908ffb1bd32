"""How alembic reaches the database: by the connection, and in the transaction, that db/schema.py hands it."""

from alembic import context

from mooring.db.types import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by copying it; the first revision has nothing to change.
    render_as_batch=context.config.attributes.get("batch", True),
    transactional_ddl=False,  # the transaction is the caller's
)
context.run_migrations()
