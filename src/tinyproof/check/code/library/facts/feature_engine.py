"""What calls of feature_engine mean: which of its transformers learn from rows, and which only rewrite them."""

from __future__ import annotations

from tinyproof.check.code.library.facts.fact import Fact, Learns
from tinyproof.check.code.library.facts.sklearn import SPLIT

FACTS: tuple[Fact, ...] = (
    Learns(
        (
            "feature_engine.*MeanMedianImputer",
            "feature_engine.*EndTailImputer",
            "feature_engine.*MeanEncoder",
            "feature_engine.*OrdinalEncoder",
            "feature_engine.*CountFrequencyEncoder",
            "feature_engine.*RareLabelEncoder",
            "feature_engine.*WoEEncoder",
            "feature_engine.*DecisionTreeEncoder",
            "feature_engine.*EqualFrequencyDiscretiser",
            "feature_engine.*EqualWidthDiscretiser",
            "feature_engine.*GeometricWidthDiscretiser",
            "feature_engine.*DecisionTreeDiscretiser",
            "feature_engine.*Winsorizer",
            "feature_engine.*OutlierTrimmer",
            "feature_engine.scaling.*",
            "feature_engine.selection.Select*",
            "feature_engine.selection.Recursive*",
            "feature_engine.selection.ProbeFeatureSelection",
            "feature_engine.selection.MRMR",
        ),
        methods=("fit", "transform", "fit_transform", "inverse_transform"),
        example=SPLIT + "from feature_engine.imputation import MeanMedianImputer\n"
        "filler = MeanMedianImputer().fit(a)\ne = filler.transform(b)",
        expect=("e: the held-out part of the data set digits, MeanMedianImputer learned from its training part",),
    ),
    Learns(
        ("feature_engine.*",),
        methods=("fit", "transform", "fit_transform", "inverse_transform"),
        harmless=True,
        example=SPLIT + "from feature_engine.datetime import DatetimeFeatures\ne = DatetimeFeatures().fit_transform(X)",
        expect=("e: the data set digits",),
    ),
)
