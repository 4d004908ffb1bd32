"""What administrators change while Mooring runs. A key without a row has its default."""

from sqlalchemy import Column, Table, Text

from mooring.db.types import Json, metadata

configuration = Table(
    "configuration",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Json, nullable=False),
)
