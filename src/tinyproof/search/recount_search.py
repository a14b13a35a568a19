"""A stored search counted again: its candidates, every run, every decision, and whether its proof is the winner's."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.errors import TinyproofError
from tinyproof.core.files import sha256
from tinyproof.data.dataset import NAMES
from tinyproof.network import budget
from tinyproof.network.budget import Facts
from tinyproof.prove import declaration, proof
from tinyproof.prove.verify.lines import Case, Line, differences, listed
from tinyproof.prove.worker import load_data, read_as
from tinyproof.search import fold_runs, searched
from tinyproof.search.contender import NETWORKS, Contender
from tinyproof.search.decisions import follow
from tinyproof.search.declaring import folds_of
from tinyproof.search.question import Question
from tinyproof.search.searched import Plan, known_of, read_list, run_folder
from tinyproof.train import store


def lines(case: Case, folder: Path) -> list[Line]:
    """All checks of a search but those of the winner's proof, which is counted as any other."""
    what = "the search and its candidates can be read"
    try:
        question, contenders = read_list(folder)
    except TinyproofError as error:
        return [case.line(folder, what, False, str(error))]
    told = f"{len(contenders)} candidates, {question.declared_at}"
    found = [case.line(folder, what, True, told), _folds(case, folder, question)]
    found += _candidates(case, folder, question, contenders)
    plan = searched.plan_of(question, contenders)
    found += [_runs(case, folder, question, one, plan) for one in contenders]
    found += [_undeclared(case, folder, contenders, plan), _decided(case, folder), _winner(case, folder)]
    what = "the stored answer is what the runs give"
    count = lambda: searched.load(folder).to_json()  # noqa: E731
    return [*found, case.copy(folder / searched.RESULT, what, count, lambda counted: str(counted["verdict"]))]


def _folds(case: Case, folder: Path, question: Question) -> Line:
    """The held-out parts are made again where the data is at hand."""
    what, options = "the held-out parts are those of the training images", case.options
    name = question.data.name if question.data.name in NAMES else options.dataset
    if not options.weights or name is None:
        return case.line(folder, what, None, f"{question.data.name} was not loaded")
    try:
        dataset = load_data(name, options.data, read_as(question.data, name))
    except TinyproofError as error:
        return case.line(folder, what, None, str(error))
    if dataset.digest != question.data.digest:
        return case.line(folder, what, None, "the data at hand is another: its digest differs")
    return case.line(folder, what, folds_of(dataset) == question.folds, f"{len(question.folds)} parts")


def _candidates(case: Case, folder: Path, question: Question, contenders: tuple[Contender, ...]) -> list[Line]:
    """They keep the limits, none stands there twice, and the files of the drawn ones are what was declared."""
    broken, changed = list[str](), list[str]()
    for one in contenders:
        facts = Facts(parameters=one.parameters, bytes=one.bytes, macs=one.macs, epochs=one.recipe.epochs)
        broken += [one.name] if not all(check.kept for check in budget.check(question.limits, facts)) else []
        path = folder / NETWORKS / f"{one.name}.py"
        if "function" not in question.choices:  # a drawn network has a file of its own here
            there = sha256(path) if path.is_file() else "none"
            changed += [path.name] if one.files.get(path.name) != there else []
    twice = len(contenders) - len({one.computes for one in contenders})
    return [
        case.line(folder, "every candidate keeps the limits", not broken, listed(broken)),
        case.line(folder, "no two candidates compute the same", not twice, f"{twice} do" if twice else ""),
        case.line(folder, "the files of the networks are the declared ones", not changed, listed(changed)),
    ]


def _runs(case: Case, folder: Path, question: Question, one: Contender, plan: Plan) -> Line:
    """Every run of a candidate: is it the declared one, on held-out images, and does it say what its answers give?"""
    place = folder / searched.RUNS / one.name
    what = "its runs are the declared ones, and say what their answers give"
    problems, ended, failed = list[str](), 0, 0
    for seed, fold in plan:
        run = run_folder(folder, one.name, seed)
        if not store.finished(run):
            failed += bool(proof.failure(run))
            continue
        ended += 1
        try:
            problem = fold_runs.mismatch(question, one, run, seed, fold) or fold_runs.other_figures(one, run)
        except TinyproofError as error:
            problem = str(error)
        problems += [f"{run.name} {problem}"] if problem else []
    told = listed(problems, 2) if problems else f"{ended} run(s)" + (f", {failed} failed" if failed else "")
    return case.line(place, what, None if not (ended or failed) else not problems, told)


def _undeclared(case: Case, folder: Path, contenders: tuple[Contender, ...], plan: Plan) -> Line:
    """Whether there is a run of a candidate, or of a seed, that no declaration names."""
    expected = {run_folder(folder, one.name, seed) for one in contenders for seed, _ in plan}
    extra = sorted(case.name(path) for path in (folder / searched.RUNS).glob("*/*") if path not in expected)
    return case.line(folder, "there is no run that was not declared", not extra, listed(extra))


def _decided(case: Case, folder: Path) -> Line:
    """Whether every decision follows from the runs, and none is missing."""
    what = "the stored decisions are what the runs give"
    try:
        question, contenders = read_list(folder)
        course = follow(known_of(question, contenders, searched.read_runs(folder, question, contenders)))
        stored, counted = searched.stored_decisions(folder), [one.to_json() for one in course.decisions]
    except TinyproofError as error:
        return case.line(folder, what, False, str(error))
    if len(stored) != len(counted):
        return case.line(folder, what, False, f"{len(stored)} are stored, and {len(counted)} follow")
    wrong = [f"rung {number}" for number, pair in enumerate(zip(counted, stored, strict=True), 1) if differences(*pair)]
    return case.line(folder, what, not wrong, listed(wrong) if wrong else f"{len(counted)} rungs")


def _winner(case: Case, folder: Path) -> Line:
    """Whether the proof is that of the one whom the runs choose, with seeds that were not used before."""
    what = "the proof is the winner's, with fresh seeds"
    place = folder / searched.WINNER
    try:
        found = searched.load(folder)
        if found.proof is None:
            there = (place / declaration.FILE).is_file()
            open_ = "nobody was chosen" if found.winner is None else "it has not been declared yet"
            return case.line(folder, what, False if there else None, open_)
        return case.line(folder, what, True, found.course.winner)
    except TinyproofError as error:
        return case.line(folder, what, False, str(error))
