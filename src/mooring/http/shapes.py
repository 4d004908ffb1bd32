"""What the schemas of structs leave out."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct, inspect


def complete(components: dict[str, Any], *, sent: Iterable[Any], taken: Iterable[Any]) -> None:
    """Say of the schemas of structs that are only sent that all members are there, unless defaults are left out."""
    asked = set(_structs(taken))
    for kind in _structs(sent):
        if not kind.__struct_config__.omit_defaults and kind not in asked:
            name = kind.__name__ if kind.__name__ in components else f"{kind.__module__}.{kind.__name__}"
            components[name]["required"] = list(components[name]["properties"])


def _structs(kinds: Iterable[Any]) -> Iterator[type[Struct]]:
    """The structs in the types, and those in their members."""
    seen: set[type[Struct]] = set()
    waiting = [inspect.type_info(kind) for kind in kinds if kind not in (None, bytes)]
    while waiting:
        match waiting.pop():
            case inspect.StructType(cls=kind, fields=members) if kind not in seen:
                seen.add(kind)
                yield kind
                waiting += [member.type for member in members]
            case inspect.UnionType(types=inner):
                waiting += inner
            case inspect.DictType(value_type=inner) | inspect.Metadata(type=inner):
                waiting.append(inner)
            case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner):
                waiting.append(inner)
