"""What calls mean that look for the best settings: a function of the notebook's own is called with each of them."""

from __future__ import annotations

from tinyproof.check.code.library.facts.fact import Fact, Searches
from tinyproof.check.code.library.facts.sklearn import SPLIT

_TRIED = SPLIT + (
    "from sklearn.neighbors import KNeighborsClassifier\n"
    "def tried(setting):\n"
    "    near = KNeighborsClassifier(setting)\n"
    "    near.fit(a, c)\n"
    "    return near.score(b, d)\n"
)
_CHOSEN = "chooses the settings on the held-out part of the data set digits"

FACTS: tuple[Fact, ...] = (
    Searches(
        ("optuna.create_study", "optuna.load_study", "optuna.study.create_study", "optuna.study.Study"),
        methods=("optimize",),
        example=_TRIED
        + "import optuna\nbook = optuna.create_study(direction='maximize')\nbook.optimize(tried, n_trials=9)",
        expect=("fit on the training part of the data set digits", f"optimize {_CHOSEN}"),
    ),
    Searches(
        ("hyperopt.fmin",),
        function=("fn", 0),
        example=_TRIED + "from hyperopt import fmin, hp\nbest = fmin(fn=tried, space=hp.randint('k', 9), max_evals=20)",
        expect=(f"fmin {_CHOSEN}",),
    ),
    Searches(
        ("skopt.gp_minimize", "skopt.forest_minimize", "skopt.gbrt_minimize", "skopt.dummy_minimize"),
        example=_TRIED + "from skopt import gp_minimize\nbest = gp_minimize(tried, [(1, 9)], n_calls=12)",
        expect=(f"gp_minimize {_CHOSEN}",),
    ),
)
