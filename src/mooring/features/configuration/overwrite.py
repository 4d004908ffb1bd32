"""Harbor's CONFIG_OVERWRITE_JSON: keys of the configuration that the machine's administrator sets for good."""

import msgspec

from mooring.core.errors import BadRequest, StartError
from mooring.features.configuration.keys import Configuration
from mooring.features.configuration.queries import Value
from mooring.features.configuration.service import check


def overwritten(text: str | None) -> dict[str, Value] | None:
    """The keys and their values; None when nothing was given. Raises StartError for what no configuration has."""
    if text is None:
        return None
    try:
        values = msgspec.json.decode(text, type=dict[str, bool | int | str])
    except msgspec.DecodeError as error:
        raise StartError(f"CONFIG_OVERWRITE_JSON is no JSON object of keys and plain values: {error}") from error
    plain = Configuration()
    for name, value in values.items():
        if name not in plain.__struct_fields__:
            raise StartError(f"CONFIG_OVERWRITE_JSON: {name} is no key of the configuration")
        wanted = type(getattr(plain, name))
        if type(value) is not wanted:
            raise StartError(f"CONFIG_OVERWRITE_JSON: {name} is of type {wanted.__name__}")
    try:
        check(values, msgspec.structs.replace(plain, **values))
    except BadRequest as error:
        raise StartError(f"CONFIG_OVERWRITE_JSON: {error.message}") from error
    return values
