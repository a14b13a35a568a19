"""What calls of fastai mean: one object holds the training and the validation part, and a learner holds that object."""

from __future__ import annotations

from tinyproof.check.notebook.library.facts.fact import NO_POSITION, Chooses, Fact, Fits, Makes, Measures

_DATA = "from fastai.vision.all import *\ndls = ImageDataLoaders.from_folder('pets', valid_pct=0.2)\n"
_LEARNER = _DATA + "learn = vision_learner(dls, resnet18, metrics=accuracy)\n"

FACTS: tuple[Fact, ...] = (
    Makes(
        ("fastai.*DataLoaders", "fastai.*DataBunch"),
        methods=(
            "from_folder",
            "from_name_func",
            "from_name_re",
            "from_path_func",
            "from_path_re",
            "from_csv",
            "from_df",
            "from_lists",
            "from_label_func",
        ),
        gives={"train": "train both", "valid": "validation both"},
        form="folder",
        source=("path", 0),
        example=_DATA + "a = dls.valid",
        expect=("a: the validation part of the folder pets",),
    ),
    Makes(
        ("fastai.*",),
        methods=("dataloaders", "databunch"),
        gives={"train": "train both", "valid": "validation both"},
        form="folder",
        source=("source", 0),
        example="from fastai.vision.all import *\nblock = DataBlock(blocks=(ImageBlock, CategoryBlock))\n"
        "dls = block.dataloaders('pets')\na = dls.train",
        expect=("a: the training part of the folder pets",),
    ),
    Fits(
        ("fastai.*",),
        methods=("fit", "fit_one_cycle", "fine_tune", "fit_flat_cos", "fit_sgdr"),
        bundle=("dls", 0),
        callbacks=("cbs", NO_POSITION),
        example=_LEARNER + "learn.fine_tune(3)",
        expect=(
            "fine_tune on the training part of the folder pets, validated on the validation part of the folder pets",
        ),
    ),
    Measures(
        ("fastai.*",),
        methods=("validate",),
        bundle=("dls", 0),
        x=("dl", 1),
        figures=("loss", "accuracy"),
        example=_LEARNER + "learn.fine_tune(3)\nprint(learn.validate())",
        expect=("validate on the validation part of the folder pets",),
    ),
    Chooses(
        ("fastai.*SaveModelCallback",),
        what="the checkpoint",
        example=_LEARNER + "learn.fit_one_cycle(3, cbs=SaveModelCallback(monitor='accuracy'))",
        expect=("SaveModelCallback chooses the checkpoint on the validation part of the folder pets",),
    ),
    Chooses(
        ("fastai.*EarlyStoppingCallback",),
        what="the epoch",
        example=_LEARNER + "learn.fit_one_cycle(3, cbs=[EarlyStoppingCallback(patience=1)])",
        expect=("EarlyStoppingCallback chooses the epoch on the validation part of the folder pets",),
    ),
)
