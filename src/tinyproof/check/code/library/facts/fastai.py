"""What calls of fastai mean: one object holds the training and the validation part, and a learner holds that object."""

from __future__ import annotations

from tinyproof.check.code.library.facts.fact import (
    NO_POSITION,
    Bundles,
    Chooses,
    Compares,
    Fact,
    Fits,
    Keeps,
    Makes,
    Measures,
    Predicts,
)

_ALL = "from fastai.vision.all import *\n"
_DATA = _ALL + "dls = ImageDataLoaders.from_folder('pets', valid_pct=0.2)\n"
_LEARNER = _DATA + "learn = vision_learner(dls, resnet18, metrics=accuracy)\n"
_MAKERS = ("fastai.*DataLoaders", "fastai.*DataBunch", "fastai.*ClassifierData", "fastai.*ModelData")

FACTS: tuple[Fact, ...] = (
    Makes(
        ("fastai.*get_image_files", "fastai.*get_text_files", "fastai.*get_files"),
        form="folder",
        source=("path", 0),
        example=_ALL + "a = get_image_files(untar_data(URLs.PETS)/'images')",
        expect=("a: the folder PETS/images",),
    ),
    Bundles(
        _MAKERS,
        methods=("from_folder",),
        folder=("path", 0),
        names=("train", "valid"),
        example=_ALL + "dls = ImageDataLoaders.from_folder('pets', valid='val')\na = dls.train\nb = dls.valid_ds",
        expect=("a: the folder pets/train", "b: the folder pets/val"),
    ),
    Bundles(
        _MAKERS,
        methods=("from_name_func", "from_name_re", "from_path_func", "from_path_re", "from_lists", "from_label_func"),
        items=("fnames", 1),
        folder=("path", 0),
        example=_ALL + "dls = ImageDataLoaders.from_name_func('.', get_image_files('pets'), label_func=str.isupper)\n"
        "a = dls.valid",
        expect=("a: the validation part of the folder pets",),
    ),
    Bundles(
        _MAKERS,
        methods=("from_df", "from_csv", "from_dsets", "from_dblock", "from_paths"),
        items=("df", 0),
        folder=("path", 0),
        example=_ALL + "df = pd.read_csv('pets.csv')\ndls = ImageDataLoaders.from_df(df, path='pets')\na = dls.train",
        expect=("a: the training part of the file pets.csv",),
    ),
    Bundles(
        ("fastai.*DataLoaders", "fastai.*DataBunch.create"),
        example=_ALL + "a = DataLoaders(pd.read_csv('one.csv'), pd.read_csv('two.csv'))\nb = a.valid",
        expect=("b: the file two.csv",),
    ),
    Bundles(
        ("fastai.*",),
        methods=("dataloaders", "databunch"),
        of_owner=True,
        example=_ALL + "block = DataBlock(blocks=(ImageBlock, CategoryBlock), get_items=get_image_files,\n"
        "    splitter=GrandparentSplitter(valid_name='test'))\ndls = block.dataloaders('pets')\na = dls.valid\n"
        "table = TabularPandas(pd.read_csv('pets.csv'), splits=RandomSplitter()([0, 1]))\n"
        "b = table.dataloaders().train",
        expect=("a: the folder pets/test", "b: the training part of the file pets.csv"),
    ),
    Keeps(
        ("fastai.*",),
        methods=("test_dl",),
        labelled="with_labels",
        example=_DATA + "a = dls.test_dl(get_image_files('pets/test'), with_labels=True)",
        expect=("a: the folder pets/test",),
    ),
    Fits(
        ("fastai.*",),
        methods=("fit", "fit_one_cycle", "fine_tune", "fit_flat_cos", "fit_sgdr", "fit_fc"),
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
    Predicts(
        ("fastai.*",),
        methods=("get_preds", "tta", "TTA"),
        bundle=("dls", 0),
        x=("dl", NO_POSITION),
        example=_LEARNER + "learn.fine_tune(3)\nanswers, truth = learn.get_preds()\nprint(accuracy(answers, truth))",
        expect=("accuracy on the validation part of the folder pets",),
    ),
    Compares(
        ("fastai.*accuracy", "fastai.*error_rate", "fastai.*accuracy_multi", "fastai.*accuracy_thresh"),
        truth=("targ", 1),
        guess=("inp", 0),
        example=_LEARNER + "learn.fit(1)\nscores, y = learn.get_preds(dl=dls.train)\nprint(error_rate(scores, y))",
        expect=("error_rate on the training part of the folder pets",),
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
