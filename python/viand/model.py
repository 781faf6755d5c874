"""Model: what is trained on which features and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viand import arguments as check
from viand.arguments import definition
from viand.document import Definition, present
from viand.durations import time_text
from viand.expressions import described, wrong
from viand.feature_service import FeatureService
from viand.labels import Labels

__all__ = ["Model"]


@definition
class Model(Definition):
    """A model: features (a service), labels or a spine that holds the target, how rows are split, XGBoost's params.

    split: "last_snapshot", {"after": datetime} or {"fraction": 0.2, "by": "time"}; YAML's {"test": ...} works too.

    >>> Model(name="buys", features="propensity", labels="bought", target="bought", split={"fraction": 0.2}).split
    {'fraction': 0.2}
    """

    section = "models"

    def __init__(self, *, name: str, features: FeatureService | str, target: str, labels: Labels | str | None = None,
                 spine: str | None = None, timestamp_column: str | None = None, type: str | None = None,
                 fill_null: float | None = None, split: str | Mapping[str, Any] | None = None,
                 params: Mapping[str, Any] | None = None, num_boost_round: int | None = None, description: str = "",
                 tags: dict[str, str] | None = None, owner: str = "") -> None:
        check.take_words(self, "a model", name, description, tags, owner)
        self.features = check.reference(features, FeatureService, "a FeatureService")
        if (labels is None) == (spine is None):
            raise wrong(f"the model {name!r} has {'neither labels nor' if labels is None else 'both labels and'} a spine, "
                        "expected one of them")
        self.labels = None if labels is None else check.reference(labels, Labels, "Labels")
        self.spine = check.optional_text(spine, "the spine of a model")
        self.timestamp_column = check.optional_text(timestamp_column, "the timestamp_column of a model")
        self.target = check.name(target, "the target of a model")
        self.type = check.optional_text(type, "the type of a model")
        if fill_null is not None and (isinstance(fill_null, bool) or not isinstance(fill_null, (int, float))):
            raise wrong(f"expected a number as fill_null, got {described(fill_null)}")
        self.fill_null = fill_null
        self.split = None if split is None else _split(split)
        self.params = _params(params)
        self.num_boost_round = None if num_boost_round is None else check.integer(num_boost_round, "num_boost_round")

    def references(self):
        return [each for each in (self.features, self.labels) if isinstance(each, Definition)]

    def document(self):
        tree = {"name": self.name, **self._words(), "type": self.type, "features": check.name_of(self.features),
                "labels": None if self.labels is None else check.name_of(self.labels), "spine": self.spine,
                "timestamp_column": self.timestamp_column, "target": self.target, "fill_null": self.fill_null,
                "split": None if self.split is None else {"test": self.split}, "params": dict(self.params),
                "num_boost_round": self.num_boost_round}
        return present(tree)


def _split(of):
    if isinstance(of, dict) and set(of) == {"test"}:
        of = of["test"]
    if isinstance(of, str):
        return of
    if not isinstance(of, dict) or not of:
        raise wrong(f"expected \"last_snapshot\", {{\"after\": time}} or {{\"fraction\": 0.2}} as split, got {described(of)}")
    return {check.text(key, "a key of split"): value if isinstance(value, (int, float)) else
            time_text(check.time(value, "a split")) for key, value in of.items()}


def _params(of):
    if of is not None and not isinstance(of, dict):
        raise wrong(f"expected a dict of parameters, got {described(of)}")
    return {check.text(key, "a parameter"): [_param(key, each) for each in value] if isinstance(value, (list, tuple)) else
            _param(key, value) for key, value in (of or {}).items()}


def _param(key, value):
    if hasattr(value, "item") and type(value).__module__ == "numpy":
        value = value.item()
    if isinstance(value, (str, bool, int, float)):
        return value
    raise wrong(f"expected a text or a number as the parameter {key!r}, got {described(value)}")
