"""FeatureService: features under one name, for a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from viand import arguments as check
from viand.arguments import definition
from viand.document import Definition, present
from viand.expressions import described, wrong
from viand.feature_view import FeatureView, FeatureViewProjection

__all__ = ["FeatureService"]


@definition
class FeatureService(Definition):
    """Features under one name: views, view[["a", "b"]], or texts such as "view", "view:feature", "view@v2:feature".

    >>> FeatureService(name="propensity", features=["activity", "profile:credit"]).features
    ['activity', 'profile:credit']
    """

    section = "feature_services"

    def __init__(self, *, name: str, features: Sequence[FeatureView | FeatureViewProjection | str],
                 tags: dict[str, str] | None = None, description: str = "", owner: str = "", logging_config: Any = None,
                 precompute_online: bool = False) -> None:
        check.take_words(self, "a feature service", name, description, tags, owner)
        if not isinstance(features, (list, tuple)):
            raise wrong(f"expected a list of features, got {described(features)}")
        self.features = [check.reference(each, (FeatureView, FeatureViewProjection), "a view or its features, as view[[...]],")
                         for each in features]
        if not self.features:
            raise wrong(f"the feature service {name!r} has no features")
        check.ignored("feature service", logging_config=(logging_config, None), precompute_online=(precompute_online, False))

    @property
    def feature_view_projections(self) -> list[FeatureViewProjection]:
        return [FeatureViewProjection(each) if isinstance(each, FeatureView) else each
                for each in self.features if not isinstance(each, str)]

    def references(self):
        return [each.view for each in self.feature_view_projections]

    def document(self):
        trees = [each if isinstance(each, str) else each.name if isinstance(each, FeatureView) else each.document()
                 for each in self.features]
        return present({"name": self.name, **self._words(), "features": trees})
