"""The parameters of a collection as the API spells them."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from mooring.core.errors import BadRequest

MOST_WORKERS: Final = 10


class Parameters(Struct, frozen=True):
    """What a collection is asked for. `workers` is how many requests to the store it keeps under way, 0 for the
    default. `delete_tag` is Harbor's and changes nothing: a manifest goes with its row.
    """

    delete_untagged: bool = False
    delete_tag: bool = False
    dry_run: bool = False
    workers: int = 0

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> "Parameters":
        """Raises BadRequest for values that are none."""
        flags = {name: sent.get(name, False) for name in ("delete_untagged", "delete_tag", "dry_run")}
        for name, value in flags.items():
            if not isinstance(value, bool):
                raise BadRequest(f"{name} must be true or false")
        workers = sent.get("workers")
        if workers is None:
            return cls(**flags)
        if isinstance(workers, float):
            raise BadRequest("bad request: workers should be integer format")
        if type(workers) is not int or not 0 < workers <= MOST_WORKERS:
            raise BadRequest(
                f"Error: Invalid number of workers:{workers}. "
                f"Workers must be greater than 0 and less than or equal to {MOST_WORKERS}."
            )
        return cls(workers=workers, **flags)


def hours(seconds: int) -> float:
    """The time within which everything stays, as the API tells it."""
    whole, rest = divmod(seconds, 3600)
    return seconds / 3600 if rest else whole


def of_schedule(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a schedule that Harbor shows."""
    return {name: parameters[name] for name in ("delete_untagged", "delete_tag", "workers")}
