"""What the commands have in common: where the settings come from."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mooring import settings
from mooring.settings import Settings

Config = Annotated[
    Path | None,
    Parameter(name="--config", env_var="MOORING_CONFIG", help="A mooring.yml, or a harbor.yml as it is."),
]
Data = Annotated[Path | None, Parameter(name="--data", help="The folder that holds everything; data_volume.")]


def load(config: Path | None, data: Path | None, **flags: object) -> tuple[Settings, list[str]]:
    """The settings that a command runs with, and what of them has no effect. Flags are given by key, `__` for a dot.

    Raises StartError.
    """
    named = {key.replace("__", "."): value for key, value in flags.items()}
    return settings.load(config, os.environ, {"data_volume": data, **named})
