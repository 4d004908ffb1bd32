"""What the jobs processes of an installation agree on."""

from sqlalchemy import Column, Table, Text

from mooring.db.types import metadata, moment

# Who does a thing that is to be done once, whatever the number of nodes, and until when nobody else does it.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    moment("expires"),
)
