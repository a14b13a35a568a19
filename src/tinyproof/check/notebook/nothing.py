"""What there is instead of a measurement: a tutorial, an autoencoder, a file of functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.notebook.live_code import live_text
from tinyproof.check.notebook.measured import called, fits, measured, to_learned
from tinyproof.check.notebook.rules import claims
from tinyproof.check.notebook.study import Study
from tinyproof.check.prose import Claim
from tinyproof.core.word_sets import words

# Libraries that have no part in which images are measured on.
ASIDE = words(
    """
    six packaging spacy nltk einops gdown kaggle opendatasets ipywidgets bokeh altair dotenv joblib h5py numba
    tensorboard pycocotools regex unidecode wordcloud missingno emoji contractions shap lime folium textblob rich
    jaxtyping watermark setuptools pkg_resources attr attrs click cycler tabulate pylab pyprind dill git kagglehub
    jovian deep_translator googletrans geopy neattext konlpy mecab onnxruntime fastapi uvicorn streamlit mlflow
    timm tensorflow_addons keras_tuner kerastuner networkx librosa soundfile pydub audiomentations noisereduce
    symspell symspellpy spellchecker optuna hyperopt mlxtend yellowbrick scikitplot dtreeviz eli5 captum
    pytorch_grad_cam tf_keras_vis efficientnet_pytorch efficientnet vit_keras segmentation_models_pytorch ftfy nlpaug
    deprecated outlines adabelief_pytorch adabound ranger madgrad lion_pytorch prodigyopt pytorch_msssim lpips
    sentencepiece tokenizers underthesea pyvi jieba pymorphy2 sacremoses bitsandbytes apex torch_xla num2words
    numpyarray_to_latex igraph visdom attrdict sconce hiddenlayer livelossplot torchsummaryX fvcore pynvml GPUtil
    memory_profiler line_profiler ipdb coloredlogs loguru fire easydict ml_collections omegaconf hydra yacs munch addict
    toml ruamel dateutil pytz humanize celluloid mpld3 plotnine holoviews hvplot cufflinks chart_studio moviepy
    imageio_ffmpeg pyvirtualdisplay pygame torchdiffeq pytorch_model_summary torchmetrics_utils thinc markdown
    matplotlib_inline
    """
)
# What code that measures something speaks of. Where none of these words stands, nothing is judged.
_MEASURING = re.compile(
    r"accurac|\bacc(?:s|_\w+)?\b|\w_acc\b|(?<![\"'(])\b(?:\w+_)?correct(?:s|_\w+)?\b(?!!)|\.score\(|\bf1\b|f1_|precision"
    r"|recall|\bauc\b|auroc|\biou\b|\bdice\b|confusion|\.evaluate\(|metrics?\b|\btop_?[k15]_?acc|error_rate|\bbleu"
    r"|classification_report|\w_score\(|perplexity|\bwer\b|(?:test|val(?:id(?:ation)?)?|eval|dev)_?(?:loss|err)"
    r"|loss\w*\[[\"'](?:val|test)|\.test\(|\.validate\(",
    re.IGNORECASE,
)
# Distances between numbers: a measure of a model only where a model learns.
_DISTANCE = re.compile(r"rmse|\bmae\b|\bmse\b|psnr|ssim", re.IGNORECASE)
_VALIDATION = re.compile(
    r"\b(?:val|valid|validation|test|eval|dev)[\s_-]?(?:loss|acc|accuracy|err|error)\b"
    r"|^[ \t]*(?:val|valid|validation|test|dev)\b[ :=]*\d+\.\d",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = re.compile(r"print\w*\([^\n]*\b(?:test|val(?:id(?:ation)?)?|dev)[ -](?:loss|err)", re.IGNORECASE)
_COMMENT = re.compile(r"^[ \t]*#.*$|#[^\"'\n]*$", re.MULTILINE)
_REMARK = re.compile(r"^[ \t]*(\"\"\"|''').*?\1[ \t]*$", re.MULTILINE | re.DOTALL)  # a text that stands for itself
# What is written on a drawing: of figures that were measured elsewhere, or not at all.
_DRAWN = re.compile(
    r"(?:\.(?:set_)?(?:title|[xy]label|suptitle|savefig)\(|\blegend\(\[|\blabel\s*=)\s*[fFrRbB]{0,2}(?:\"[^\"\n]*\"|'[^'\n]*')"
)
# How many digits are printed, what a computer reckons with, a number that is drawn.
_SHOWN = re.compile(
    r"set_(?:print|float32)\w*\([^)\n]*\)|(?<![\w.])precision\s*=\s*[\d\"']+|mixed_precision|\bdice\s*=\s*(?:np\.)?random"
    r"|\bself\.score\(|def score\(self"
)
_GAP = re.compile(r"<[^<>=\n]*>|your\s+code|\bTODO\b|\?\?\?|_{3,}|\.\.\.", re.IGNORECASE)
_OWN = re.compile(r"def (\w+)_score\(")
_MEASURE = re.compile(r"acc|f1|f_?beta|auc|prec|rec|iou|dice|bleu|r2|test|val|eval", re.IGNORECASE)
_AS_LOSS = re.compile(r"\b(\w*loss\w*)\s*=\s*(?:rmse|mse|mae)\(")
_BY_HAND = re.compile(r"\bgrads?\(|backward|\bepochs?\b|learning_rate|gradient")


# Calls that may train or measure, of whatever is not here.
_DOES = re.compile(r"\.(?:fit|train)\w*\(|(?<!def )\b(?:fit|train(?!_test_split)|evaluate|validate|test)\w*\(")
ON_LEARNED = "a model is fitted, and nothing is measured but on the rows that it learns from"
# What the kernels of Python say that they speak.
_PYTHON = frozenset(("python", "ipython", "python3", "python2", "ipython3", "py", "sage", "xpython"))


def nothing_to_judge(study: Study) -> str:
    """What there is instead of a measurement; empty where something may be measured."""
    events = study.events
    if _only_on_learned(study):
        return ON_LEARNED
    if study.evaluations or measured(study) or events.hidden or events.exhausted:
        return ""
    if events.unread and not _only_gaps(study):
        return ""
    if not is_python(study):
        return ""
    printed = any(e.test_accuracy or e.train_accuracy or e.other_accuracy for run in study.runs for e in run.epochs)
    claimed = any(_claims_something(study, claim) for claim in study.claims)
    text = _REMARK.sub("", "\n".join("\n".join(lines) for lines in _live(study)))
    text = re.sub(r"\bloss\s*=\s*[\"']\w+[\"']", "", _COMMENT.sub("", text))
    text = re.sub(r"^\s*(?:from\s+\S+\s+)?import\b[^(\n]*(?:\([^)]*\))?", "", text, flags=re.MULTILINE)
    text = _own_words(_SHOWN.sub("", text))
    learns = bool(study.trainings or fits(study) or ".backward()" in text)
    if not learns and not events.uses:
        text = re.sub(r"\bmetrics\s*=\s*(?:\[[^\]]*\]|\w+)", "", text)  # of something that is never fitted
    if any(name.partition(".")[0] not in ASIDE for name in events.missing_modules) and (
        learns or study.runs or _DOES.search(text)
    ):
        return ""  # what measures may be in what is not here
    watched = _DRAWN.sub("", re.sub(r"metrics\s*=\s*\[[^\]]*\]|history\[[^\]]*\]|\baccuracy=|import .*", "", text))
    tested = any(run.test_accuracies for run in study.runs)
    shown = _shows_validation(study)
    if fits(study) and not claimed and not tested and not shown and not _measures(watched, learns):
        return ON_LEARNED
    if not tested and not claimed and _only_while_learning(study, watched):
        return "the accuracy is that of the batches that it learns from, and nothing else is measured"
    if printed or claimed or _measures(text, learns) or shown or _SAID.search(text):
        return ""
    if study.trainings:
        return "a network is trained, and no accuracy is measured"
    perhaps = re.search(r"\.(?:fit|learn|train)\w*\(", text) or _BY_HAND.search(text)
    return "nothing is measured in it" if perhaps else "nothing is trained and nothing measured in it"


def _only_on_learned(study: Study) -> bool:
    """Whether all that is measured is told without a name for it, and is of the very rows that are learned from."""
    done, events = measured(study), study.events
    if not done or study.evaluations or events.hidden or events.exhausted or events.unread or events.missing_modules:
        return False
    same = all(to_learned(use) == "inside" and called(study, use) in ("", "train") for use in done)
    claimed = any(_claims_something(study, claim) for claim in study.claims)
    return same and not claimed and not _shows_validation(study) and not any(r.test_accuracies for r in study.runs)


def _live(study: Study) -> Iterator[list[str]]:
    """The lines of the notebook and of its modules, without what never runs."""
    yield from live_text([(key, "\n".join(lines)) for key, lines in study.sources.items()]).values()


def _only_gaps(study: Study) -> bool:
    """Whether the lines that could not be read are gaps for a pupil to fill in, and nothing was learned around them."""
    lines = [study.line(place) for place in study.events.unread]
    return all(map(_GAP.search, lines)) and not (study.trainings or fits(study) or study.runs)


def _own_words(text: str) -> str:
    """The text without functions of its own that only bear the name of a score, and distances by which it learns."""
    for name in set(_OWN.findall(text)):
        if not _MEASURE.search(name):
            text = re.sub(rf"\b{name}_score\(", "", text)
    learned = {name for name in _AS_LOSS.findall(text) if re.search(rf"\b{name}\.backward\(", text)}
    for name in learned:
        text = re.sub(rf"\b{name}\s*=\s*(?:rmse|mse|mae)\(", f"{name} = (", text)
    return re.sub(r"def (?:rmse|mse|mae)\(", "", text) if learned else text


def _shows_validation(study: Study) -> bool:
    """Whether what was printed has a figure on a validation or test part: the table of a library that is not read."""
    return any(_VALIDATION.search(cell.output[:20_000]) for cell in study.document.code)


def is_python(study: Study) -> bool:
    return study.document.language.lower() in _PYTHON


def _only_while_learning(study: Study, text: str) -> bool:
    """Whether right answers are counted in the loops that learn, and no word speaks of another measurement."""
    counted = any(turn.hits for turn in study.trainings)
    text = re.sub(r"^\s*(?:from|import)\b.*$", "", text, flags=re.MULTILINE)
    rest = re.sub(r"\b(?!\w*(?:test|val))\w*(?:acc|correct)\w*", "", text, flags=re.IGNORECASE)
    held_out = r"(?:test|val)\w*(?:loader|\W{1,3}acc|\W{1,3}correct)|accuracy_score|\beval\(\)"
    unseen = re.search(held_out, text, re.IGNORECASE)
    return counted and not unseen and not _measures(rest, learns=True)


def _claims_something(study: Study, claim: Claim) -> bool:
    """Whether a text claims an accuracy of this file: by name, or in its own words where it trains something."""
    if claim.kind != "accuracy" or claim.elsewhere or claim.is_target:
        return False
    own = not claims.from_readme(study, claim)
    return own and (claim.named or bool(study.trainings or fits(study) or not study.document.code))


def _measures(text: str, learns: bool) -> bool:
    return bool(_MEASURING.search(text) or (learns and _DISTANCE.search(text)))
