"""The types of features, by Feast's names: Int64, Float64, String, UnixTimestamp, Array(Int64), ...

>>> str(Array(Int64))
'Array(Int64)'

All of Feast's names are here so that its files can be read; what viand cannot hold yet (Map, Json, Uuid, ...) is an error
of the definition that uses it.
"""

from __future__ import annotations

from viand.value_type import ValueType

__all__ = ["Array", "Bool", "Bytes", "Decimal", "FeastType", "Float32", "Float64", "ImageBytes", "Int32", "Int64",
           "Invalid", "Json", "Map", "PdfBytes", "ScalarMap", "Set", "String", "Struct", "TimeUuid", "UnixTimestamp",
           "Uuid", "ZonedTimestamp", "from_value_type"]


class FeastType:
    """A type of a feature. `sql` is its name in a cast, None where SQL has none."""

    def __init__(self, text: str, value_type: ValueType, sql: str | None = None) -> None:
        self._text = text
        self.value_type = value_type
        self.sql = sql

    @property
    def name(self) -> str:
        """As the registry has it: INT64."""
        return self.value_type.name

    def to_value_type(self) -> ValueType:
        return self.value_type

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeastType) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


Invalid = FeastType("Invalid", ValueType.UNKNOWN)
Bytes = FeastType("Bytes", ValueType.BYTES, "blob")
String = FeastType("String", ValueType.STRING, "varchar")
Bool = FeastType("Bool", ValueType.BOOL, "boolean")
Int32 = FeastType("Int32", ValueType.INT32, "integer")
Int64 = FeastType("Int64", ValueType.INT64, "bigint")
Float32 = FeastType("Float32", ValueType.FLOAT, "real")
Float64 = FeastType("Float64", ValueType.DOUBLE, "double")
UnixTimestamp = FeastType("UnixTimestamp", ValueType.UNIX_TIMESTAMP, "timestamptz")
PdfBytes = FeastType("PdfBytes", ValueType.PDF_BYTES)
ImageBytes = FeastType("ImageBytes", ValueType.IMAGE_BYTES)
Map = FeastType("Map", ValueType.MAP)
Json = FeastType("Json", ValueType.JSON)
Uuid = FeastType("Uuid", ValueType.UUID)
TimeUuid = FeastType("TimeUuid", ValueType.TIME_UUID)
Decimal = FeastType("Decimal", ValueType.DECIMAL)
ScalarMap = FeastType("ScalarMap", ValueType.SCALAR_MAP)
ZonedTimestamp = FeastType("ZonedTimestamp", ValueType.ZONED_TIMESTAMP)


class Array(FeastType):
    """A list: Array(Int64)."""

    def __init__(self, base_type: FeastType) -> None:
        self.base_type = _checked(base_type, "Array")
        super().__init__(f"Array({base_type})", _collection(base_type, "LIST"))


class Set(FeastType):
    """A list without repetition: Set(String)."""

    def __init__(self, base_type: FeastType) -> None:
        self.base_type = _checked(base_type, "Set")
        super().__init__(f"Set({base_type})", _collection(base_type, "SET"))


class Struct(FeastType):
    """Named fields: Struct({"name": String})."""

    def __init__(self, fields: dict[str, FeastType]) -> None:
        self.fields = fields
        texts = ", ".join(f"{name}: {_checked(each, 'Struct')}" for name, each in fields.items())
        super().__init__(f"Struct({{{texts}}})", ValueType.STRUCT)


_SCALARS = {each.value_type: each for each in (Bytes, String, Bool, Int32, Int64, Float32, Float64, UnixTimestamp, PdfBytes,
                                               ImageBytes, Map, Json, Uuid, TimeUuid, Decimal, ScalarMap, ZonedTimestamp)}


def from_value_type(value_type: ValueType) -> FeastType:
    """The type of a ValueType: INT64_LIST is Array(Int64)."""
    if value_type in _SCALARS:
        return _SCALARS[value_type]
    for ending, collection in (("_LIST", Array), ("_SET", Set)):
        base = ValueType.__members__.get(value_type.name.removesuffix(ending))
        if value_type.name.endswith(ending) and base in _SCALARS:
            return collection(_SCALARS[base])
    return Invalid


def from_name(name: str) -> FeastType | None:
    """The type of a name that a definition can have, None of any other.

    >>> from_name("Array(Int64)"), from_name("FLOAT"), from_name("Int46")
    (Array(Int64), Float32, None)
    """
    if name in ValueType.__members__:
        return from_value_type(ValueType[name])
    for each in _SCALARS.values():
        if str(each) == name:
            return each
    for opening, collection in (("Array(", Array), ("Set(", Set)):
        base = from_name(name[len(opening):-1]) if name.startswith(opening) and name.endswith(")") else None
        if base is not None:
            return collection(base)
    return None


def _checked(of, where):
    if isinstance(of, FeastType):
        return of
    raise TypeError(f"{where} takes a type such as viand.types.Int64, not {of!r}")


def _collection(base, ending):
    return ValueType.__members__.get(f"{base.value_type.name}_{ending}", ValueType[f"VALUE_{ending}"])
