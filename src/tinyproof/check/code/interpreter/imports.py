"""Import statements: a local module is read, a library becomes a dotted path, a missing module stays unknown."""

from __future__ import annotations

import ast
import sys
from functools import lru_cache

from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.values import ModuleValue, Name, Namespace, Scope, Unknown
from tinyproof.core.word_sets import words

# The roots of which the facts about libraries speak.
_FRAMEWORKS = words(
    """
    array chex clu equinox haiku hyperopt mpl_toolkits optuna orbax
    absl accelerate bokeh boto3 catboost category_encoders cuml d2l d2lzh_pytorch datasets diffusers
    evaluate fastai fastbook fastcore fastdot fastkaggle feature_engine flax gdown gensim gradio gzip h5py
    huggingface_hub ignite
    imblearn ipywidgets jax joblib kaggle keras librosa lightgbm mediapy medmnist mlxtend nbdev nltk optax
    optimum peft pickle polars sagemaker scikeras seaborn sentencepiece skopt skorch soundfile sympy tensorflow
    tensorflow_datasets tensorflow_docs tensorflow_hub tensorflow_text tf_keras tokenizers tpot
    transformers umap xgboost
    torch_geometric torch_sparse torch_scatter torch_cluster torch_spline_conv pyg_lib dgl ogb
    """
)
# Libraries whose names are known well enough to read calls of them; anything else missing is unknown.
LIBRARIES = _FRAMEWORKS | words(
    """
    torch torchvision torchaudio torchtext tqdm numpy pandas matplotlib seaborn sklearn scipy PIL cv2
    albumentations torchsummary torchinfo torchmetrics pytorch_lightning lightning lightning_fabric
    torch_lr_finder tensorboardX wandb os sys time math random copy collections functools itertools json
    pickle argparse datetime types typing pathlib IPython google dataclasses logging warnings glob
    shutil requests builtins __future__ string re abc enum io contextlib operator pprint statistics
    subprocess gzip struct urllib zipfile tarfile csv yaml rich plotly torchviz graphviz ptflops thop
    netron onnx fastprogress imgaug skimage imageio torch_optimizer hashlib inspect tempfile platform gc
    psutil multiprocessing concurrent threading tabulate prettytable termcolor colorama
    """
)
# Modules of Python 2 that have another name today.
_OF_PYTHON_2 = words(
    """
    cPickle cStringIO StringIO ConfigParser Queue urllib2 urlparse httplib anydbm copy_reg exceptions
    __builtin__ Tkinter tkMessageBox commands sets md5 sha
    """
)
# Names that torch and torchvision are commonly asked for under another root.
_ALIASES = {
    "cPickle": "pickle",
    "torchvision.transforms.v2": "torchvision.transforms",
    "torchvision.transforms.transforms": "torchvision.transforms",
    "torchvision.datasets.mnist": "torchvision.datasets",
    "torch.nn.modules": "torch.nn",
    "torch.utils.data.dataloader": "torch.utils.data",
    "torch.utils.data.dataset": "torch.utils.data",
    "torch.utils.data.sampler": "torch.utils.data",
    "torch.optim.sgd": "torch.optim",
    "lightning.pytorch": "pytorch_lightning",
    "lightning": "pytorch_lightning",
    "tensorflow.keras": "keras",
    "tensorflow.python.keras": "keras",
    "tensorflow.compat.v1.keras": "keras",
    "tensorflow.compat.v1": "tensorflow",
    "tensorflow.contrib.keras": "keras",
    "tf_keras": "keras",
    "jax.numpy": "numpy",
    "fastbook": "fastai.fastbook",
}


@lru_cache(maxsize=4_096)
def normal(path: str) -> str:
    """The usual dotted path of a library's name.

    >>> normal("torchvision.transforms.v2.Normalize")
    'torchvision.transforms.Normalize'
    """
    for alias, usual in _ALIASES.items():
        if path == alias or path.startswith(alias + "."):
            return usual + path[len(alias) :]
    return path


def is_library(path: str) -> bool:
    root = path.partition(".")[0]
    return root in LIBRARIES or root in sys.stdlib_module_names or root in _OF_PYTHON_2


def do_import(machine: Machine, node: ast.Import, scope: Scope) -> None:
    """`import a.b as c`."""
    for alias in node.names:
        local = machine.module(alias.name, scope.file)
        bound = alias.asname or alias.name.partition(".")[0]
        if local is not None and (alias.asname or "." not in alias.name):
            scope.names[bound] = ModuleValue(alias.name, local)
        elif local is not None:
            _bind_package(machine, alias.name, local, scope)
        elif alias.name == "__main__":
            scope.names[bound] = Namespace(scope.module)
        elif is_library(alias.name):
            scope.names[bound] = Name(normal(alias.name) if alias.asname else bound)
        else:
            machine.events.missing_modules.append(alias.name)
            scope.names[bound] = Unknown(alias.name)


def _bind_package(machine: Machine, name: str, local: Scope, scope: Scope) -> None:
    """`import a.b.c`: the name `a` stands for the package, in which the module is found as `b.c`."""
    inside, path = scope, ""
    first, *rest = name.split(".")
    for part in (first, *rest[:-1]):
        path = f"{path}.{part}" if path else part
        held = inside.names.get(part)
        if not isinstance(held, ModuleValue) or held.name != path:
            known = machine.module(path, scope.file)
            held = inside.names[part] = ModuleValue(path, known if known is not None else Scope(scope.file))
        inside = held.scope
    inside.names[rest[-1]] = ModuleValue(name, local)


def do_import_from(machine: Machine, node: ast.ImportFrom, scope: Scope) -> None:
    """`from a import b, c as d` and `from a import *`."""
    module = "." * node.level + (node.module or "")
    local = machine.module(module, scope.file) if module.strip(".") else None
    for alias in node.names:
        if alias.name == "*":
            _star(machine, module, local, scope)
            continue
        bound = alias.asname or alias.name
        inner = machine.module(f"{module}.{alias.name}" if module.strip(".") else module + alias.name, scope.file)
        if local is not None and alias.name in local.names:
            scope.names[bound] = local.names[alias.name]
        elif inner is not None:
            scope.names[bound] = ModuleValue(alias.name, inner)
        elif local is None and is_library(module):
            scope.names[bound] = Name(normal(f"{module}.{alias.name}"))
        else:
            if local is None:
                machine.events.missing_modules.append(module)
            scope.names[bound] = Unknown(alias.name)


def _star(machine: Machine, module: str, local: Scope | None, scope: Scope) -> None:
    if local is not None:
        scope.names.update({name: value for name, value in local.names.items() if not name.startswith("_")})
        scope.stars.extend(star for star in local.stars if star not in scope.stars)
    elif is_library(module):
        scope.stars.append(normal(module))
    else:
        scope.stars.append("?")
        machine.events.missing_modules.append(module)
