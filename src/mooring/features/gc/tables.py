"""What garbage collection has let go of and not yet deleted."""

from sqlalchemy import BigInteger, Column, Table, Text

from mooring.db.types import metadata, moment

# Written in the transaction that deletes a blob's row, and deleted when its bytes are gone: a sweep that was cut off
# goes on from here. A key is never used again, so nothing that is pushed meanwhile can be among them.
dead_segment = Table(
    "dead_segment",
    metadata,
    Column("key", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    moment("since"),
)
