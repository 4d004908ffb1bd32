"""The kinds of acts that are recorded, as the configuration, the purge and the counts of blocks name them."""

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """`create_artifact`."""

    operation: str
    resource_type: str

    def __str__(self) -> str:
        return f"{self.operation}_{self.resource_type}"


# Harbor's list, in its order: what people choose from.
LISTED: Final = (
    Kind("create", "artifact"),
    Kind("delete", "artifact"),
    Kind("pull", "artifact"),
    Kind("create", "project"),
    Kind("delete", "project"),
    Kind("delete", "repository"),
    Kind("login", "user"),
    Kind("logout", "user"),
    Kind("create", "user"),
    Kind("delete", "user"),
    Kind("update", "user"),
    Kind("create", "robot"),
    Kind("delete", "robot"),
    Kind("update", "configuration"),
    Kind("create", "member"),
    Kind("delete", "member"),
    Kind("update", "member"),
    Kind("update", "project"),
)
# Recorded as well, and not on the list: tags as in Harbor, tokens because Harbor has none.
RECORDED: Final = (
    *LISTED,
    Kind("create", "tag"),
    Kind("delete", "tag"),
    Kind("create", "token"),
    Kind("delete", "token"),
)
