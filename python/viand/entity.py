"""Entity: what features are about."""

from __future__ import annotations

from viand import arguments as check
from viand.arguments import definition
from viand.document import Definition, present
from viand.expressions import described, wrong
from viand.types import FeastType
from viand.value_type import ValueType

__all__ = ["Entity"]


@definition
class Entity(Definition):
    """What features are about: a customer, a driver.

    join_keys: its columns, default the name. value_type: of the keys, or value_types one a key; left out: the data's.

    >>> Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
    Entity(name='customer', join_keys=['customer_id'], value_type='INT64')
    """

    section = "entities"

    def __init__(self, *, name: str, join_keys: list[str] | None = None, value_type: ValueType | FeastType | str | None = None,
                 description: str = "", tags: dict[str, str] | None = None, owner: str = "",
                 value_types: list[ValueType | FeastType | str] | list[ValueType] | None = None) -> None:
        check.take_words(self, "an entity", name, description, tags, owner)
        self.join_keys = check.texts([self.name] if join_keys is None else join_keys, "the join_keys of an entity")
        self.join_keys = self.join_keys or [self.name]
        check.unique(self.join_keys, "the join key")
        if value_type is not None and value_types is not None:
            raise wrong("an entity has value_type or value_types, not both")
        types = [value_type or ValueType.UNKNOWN] * len(self.join_keys) if value_types is None else list(value_types)
        self.value_types = [_value_type(each) for each in types]
        if len(self.value_types) != len(self.join_keys):
            raise wrong(f"the entity {name!r} has {len(self.join_keys)} join keys and {len(self.value_types)} value types",
                        "write one type a key")

    @property
    def join_key(self) -> str:
        """Its first join key."""
        return self.join_keys[0]

    @property
    def value_type(self) -> ValueType:
        """The type of its first join key."""
        return self.value_types[0]

    def document(self):
        names = [each.name for each in self.value_types]
        one = len(set(names)) == 1
        return present({"name": self.name, **self._words(), "join_keys": list(self.join_keys),
                        "value_type": names[0] if one and names[0] != "UNKNOWN" else None,
                        "value_types": None if one else names})


def _value_type(of):
    if isinstance(of, ValueType):
        return of
    if isinstance(of, FeastType):
        return of.value_type
    if isinstance(of, str) and of in ValueType.__members__:
        return ValueType[of]
    raise wrong(f"{described(of)} is no value type", "write such as ValueType.INT64")


def take_entities(given):
    if given is None:
        return []
    if not isinstance(given, (list, tuple)):
        raise wrong(f"expected a list of entities, got {described(given)}")
    entities = [check.reference(each, Entity, "an Entity") for each in given]
    check.unique([check.name_of(each) for each in entities], "the entity")
    keys = [key for each in entities if isinstance(each, Entity) for key in each.join_keys]
    check.unique(keys, "the join key")
    return entities
