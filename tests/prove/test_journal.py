"""The journal: entries in their order, what changed between them, what it did beside chance, the user's analysis."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from tests.prove.proving import call
from tests.prove.test_stats import TRIALS, _spread
from tests.stored_records import stored

from tinyproof.api.journal import journal
from tinyproof.core.errors import DataError, InputError
from tinyproof.network.budget import Budget
from tinyproof.prove import comparison, declaration, proof
from tinyproof.prove.journal import changes, history
from tinyproof.prove.journal.entries import Entry
from tinyproof.show.journal_markdown import MARK, best_epoch, plain, tries
from tinyproof.show.journal_page import journal_parts, page
from tinyproof.train import store

Made = tuple[Path, "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    """Two single runs and a proof: the second run has a lower rate, and its answers are worse."""
    first = made[0] / "seed-11"
    for name, started, rate, correct in (
        ("a", "2026-01-01T00:00:00", 0.005, 350),
        ("b", "2026-01-02T00:00:00", 0.001, 300),
    ):
        run = store.load(first)
        changed = replace(run.identity, recipe=replace(run.recipe, rate=rate))
        run = replace(run, identity=changed, started=started, correct=correct)
        store.save(tmp_path / "runs" / name, run, store.load_predictions(first))
    shutil.copytree(made[0], tmp_path / "runs" / "proof")
    return tmp_path / "runs"


def test_entries_stand_in_the_order_of_their_start_and_say_what_changed(folder: Path) -> None:
    first, second, third = history.read(folder)
    assert [first.name, second.name, third.name] == ["a", "b", "proof"]
    assert first.changed == ()
    assert second.changed == ("rate 0.005 → 0.001",)
    assert second.effect.words == "-13.93 points, more than chance does (±4.16)"
    assert third.result.startswith("mean ")


def test_a_difference_that_chance_explains_is_called_so(folder: Path) -> None:
    run = store.load(folder / "b")
    store.save(folder / "b", replace(run, correct=348), store.load_predictions(folder / "b"))
    assert "no more than chance does" in history.read(folder)[1].effect.words


def test_target_result_and_analysis(folder: Path) -> None:
    history.write_analysis(folder, "b", "Too slow a rate for so few epochs.\n")
    entry = history.read(folder)[1]
    assert entry.target == "98 %"
    assert entry.result == "83.57 % (300 of 359), one run: missed: accuracy, last epoch"
    assert entry.analysis == "Too slow a rate for so few epochs."
    proof = history.read(folder)[2]
    assert proof.target == "80 %"
    assert "of 3 seeds" in proof.result


def test_the_command_shows_table_and_page_and_keeps_an_analysis(folder: Path) -> None:
    done = call("journal", folder, "--of", "b", "--analysis", "A <b>bold</b> claim.")
    assert done.returncode == 0, done.stderr
    assert "rate 0.005 → 0.001" in done.stdout
    page = (folder / "journal.html").read_text()
    assert "A &lt;b&gt;bold&lt;/b&gt; claim." in page
    assert page.index("Target") < page.index("Result") < page.index("Analysis")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--of", "z", "--analysis", "x"), "entry: 'z' is not allowed; allowed: a, b, proof"),
        (("--of", "a"), "'a' stands alone; name --of and --analysis, or neither"),
        (("--of", "a", "--analysis", "x" * 20_001), "at most 20,000 bytes"),
    ],
)
def test_a_wrong_analysis_is_refused(folder: Path, words: tuple[str, ...], match: str) -> None:
    done = call("journal", folder, *words)
    assert done.returncode == 2
    assert match in done.stderr


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished run"):
        history.read(tmp_path)


def _single(made: Made, folder: Path, day: int = 1, **identity: Any) -> Path:
    """The first run of the proof as a run by itself, with another identity."""
    source = made[0] / "seed-11"
    run = store.load(source)
    run = replace(run, identity=replace(run.identity, **identity), started=f"2026-01-{day:02}T00:00:00")
    store.save(folder, run, store.load_predictions(source))
    return folder


def _proof(made: Made, folder: Path, day: int = 1, **declared: Any) -> Path:
    """The proof with another declaration; its runs say the same as it."""
    shutil.copytree(made[0], folder)
    there = replace(declaration.read(folder), declared_at=f"2026-01-{day:02}T00:00:00", **declared)
    (folder / declaration.FILE).write_text(json.dumps(there.to_dict()))
    for place in folder.glob("seed-*"):
        run = store.load(place)
        same = replace(
            run.identity, engine=there.engine, threads=there.threads, model=there.model,
            model_digest=there.model_sha256, recipe=there.recipe, data_digest=there.data.digest,
        )  # fmt: skip
        run = replace(run, identity=same, code_digest=there.code_digest, declaration=there.digest)
        store.save(place, run, store.load_predictions(place))
    return folder


def _changed(folder: Path) -> tuple[str, ...]:
    return history.read(folder)[1].changed


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"engine": "native"}, "engine torch → native"),
        ({"threads": 2}, "threads 1 → 2"),
        ({"code_digest": "0" * 64}, "other tinyproof code"),
        ({"model_sha256": "0" * 64, "model_files": {"tiny.py": "0" * 64}}, "the file tiny.py changed"),
        ({"target": 99.4}, "target 80 → 99.4"),
        ({"budget": Budget(parameters_below=9_000)}, "limit of parameters none → 9,000"),
        ({"budget": Budget(rules=("uses-dropout",))}, "rules none → dropout is used"),
        ({"versions": {"torch": "0.1"}}, "torch "),
    ],
)
def test_what_changed_between_two_proofs_is_said(
    made: Made, tmp_path: Path, declared: dict[str, Any], words: str
) -> None:
    _proof(made, tmp_path / "a", 1)
    _proof(made, tmp_path / "b", 2, **declared)
    (changed,) = _changed(tmp_path)
    assert changed.startswith(words)


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ({}, "nothing: the same seed"),
        ({"seed": 12}, "nothing but the seed"),
        ({"engine": "native"}, "engine torch → native"),
        ({"device": "cuda"}, "device cpu → cuda"),
        ({"model_digest": "0" * 64}, "the file tiny.py changed"),
    ],
)
def test_what_changed_between_two_runs_is_said(
    made: Made, tmp_path: Path, identity: dict[str, Any], words: str
) -> None:
    _single(made, tmp_path / "a", 1)
    _single(made, tmp_path / "b", 2, **identity)
    assert _changed(tmp_path) == (words,)


def test_other_seeds_are_told_from_the_same_ones(made: Made, tmp_path: Path) -> None:
    _single(made, tmp_path / "a", 1)
    _proof(made, tmp_path / "b", 2)
    _proof(made, tmp_path / "c", 3)
    assert [entry.changed[-1:] for entry in history.read(tmp_path)[1:]] == [
        # A run by itself is held against the target of its data set; this proof was asked for another.
        ("target 98 → 80",),
        ("nothing: the same seeds",),
    ]
    assert changes.seeds_words((1, 2), (3, 4)) == "nothing but the seeds"
    assert changes.seeds_words((1,), (3, 4)) == "nothing but the seeds, 1 → 2 of them"


def test_other_images_under_the_same_name_are_not_compared(made: Made, tmp_path: Path) -> None:
    _proof(made, tmp_path / "a", 1)
    _proof(made, tmp_path / "b", 2, data=replace(declaration.read(made[0]).data, digest="0" * 64))
    entry = history.read(tmp_path)[1]
    assert entry.changed == ("other images and labels under the name digits",)
    assert entry.effect.words == "other data: not comparable"
    assert entry.effect.beyond is None


@pytest.mark.parametrize(
    ("first", "second", "spreads"),
    [
        (2, 2, (0.05, 0.05)), (3, 3, (0.05, 0.05)), (5, 5, (0.05, 0.05)), (10, 10, (0.05, 0.02)),
        (2, 10, (0.05, 0.05)), (3, 10, (0.02, 0.05)), (1, 5, (0.05, 0.05)), (5, 1, (0.05, 0.05)),
        (2, 2, (0.002, 0.002)),
    ],
)  # fmt: skip
def test_chance_alone_is_called_more_than_chance_in_at_most_5_of_100_cases(
    first: int, second: int, spreads: tuple[float, float]
) -> None:
    """Two entries of one true accuracy; 1.96 standard errors would call 19 of 100 pairs of two runs different."""
    rng = np.random.default_rng(23)
    before, after = (
        np.round(rng.normal(99.5, sd, (TRIALS, n)), 2)
        for sd, n in zip(spreads, (first, second), strict=True)
    )  # fmt: skip
    false = sum(changes.effect(list(a), list(b), 10_000).beyond is True for a, b in zip(before, after, strict=True))
    assert false / TRIALS <= 0.05 + _spread(0.05)


def test_a_true_difference_is_found(made: Made) -> None:
    found = changes.effect([99.40, 99.42, 99.41, 99.43, 99.39], [99.50, 99.52, 99.51, 99.49, 99.53], 10_000)
    assert found.words == "+0.10 points, more than chance does (±0.02)"
    assert found.beyond is True


def test_a_broken_budget_is_in_the_result_of_a_proof(made: Made, tmp_path: Path) -> None:
    _proof(made, tmp_path / "a", 1)
    _proof(made, tmp_path / "b", 2, budget=Budget(parameters_below=8))
    kept, broken = history.read(tmp_path)
    measured = f"{proof.load(tmp_path / 'b').results[0].run.parameters:,}"
    assert "budget" not in kept.result
    assert broken.result == f"{kept.result}; the budget is broken: parameters (below 8; measured {measured})"
    assert broken.answer == f"{kept.answer}, budget broken"
    assert broken.target == "80 %, fewer than 8 parameters"


def test_a_missing_run_is_in_the_result_of_a_proof(made: Made, tmp_path: Path) -> None:
    _proof(made, tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "seed-12")
    result = history.read(tmp_path)[0].result
    assert result.endswith("of 2 seeds: undecided (2 of 3 declared runs have ended)")
    shutil.rmtree(tmp_path / "a" / "seed-11")
    shutil.rmtree(tmp_path / "a" / "seed-13")
    (entry,) = history.read(tmp_path)
    assert entry.result == "no run has ended: undecided (0 of 3 declared runs have ended)"
    assert entry.percent is None


def _comparison(made: Made, folder: Path, within: float | None) -> Path:
    digests = []
    for side, engine in (("first", "native"), ("second", "torch")):
        _proof(made, folder / side, 3, engine=engine, target=99.9)
        digests.append(declaration.read(folder / side).digest)
    comparison.write(folder, comparison.Bond((digests[0], digests[1]), within))
    return folder


@pytest.mark.parametrize("within", [None, 0.5])
def test_a_comparison_is_one_entry_with_its_own_answer(made: Made, tmp_path: Path, within: float | None) -> None:
    _proof(made, tmp_path / "a", 1)
    _comparison(made, tmp_path / "cmp", within)
    _proof(made, tmp_path / "z", 9)
    before, entry, after = history.read(tmp_path)
    assert entry.changed == ("engine native against torch",)
    assert entry.answer == ("undecided" if within is None else "equivalent")
    assert f"{entry.answer}: the mean difference is +0.000 points, its 9" in entry.result
    assert "native engine, mean " in entry.result
    assert "torch engine, mean " in entry.result
    assert "refuted" not in entry.result
    assert "99.9" not in entry.target
    assert entry.target == (
        "which side is better?" if within is None else "are the sides equivalent within 0.5 points?"
    )
    # It has no accuracy of its own: the next entry is held against the one before it.
    assert after.since == before.name == "a"
    assert after.changed == ("nothing: the same seeds",)


def test_a_claim_is_held_against_what_was_published_and_against_no_target() -> None:
    found = history.read(stored("reproduce"))
    assert len(found) == 6
    for entry in found:
        assert entry.kind == "claim"
        assert not any(word in entry.result + entry.answer for word in ("refuted", "undecided", "proved"))
        assert "99.4 %" not in entry.target
        assert not any(line.startswith("target") for line in entry.changed)
        verdict = proof.load(entry.folder).verdict
        assert verdict.interval is not None
        shown = f"mean {verdict.mean:.2f} % [{verdict.interval.low:.2f}, {verdict.interval.high:.2f}] of 3 seeds"
        assert shown in entry.result
    (other,) = [entry for entry in found if entry.name == "s6-16k"]
    assert other.target == "the published claim: 99.64 % (epoch 20)"


@pytest.mark.parametrize("name", ["a/run.json", "proof/declared.json", "proof/seed-11/predictions.npz"])
def test_what_cannot_be_read_is_named_and_the_rest_is_shown(folder: Path, name: str) -> None:
    whole = history.read(folder)
    (folder / name).write_text("{")
    found = history.read(folder)
    assert len(found) == len(whole)
    last = found[-1]
    assert last.name == name.partition("/")[0]
    assert last.kind == "unreadable"
    assert last.result.startswith("unreadable: ")
    assert Path(name).name in last.result
    assert {entry.name for entry in found[:-1]} == {entry.name for entry in whole} - {last.name}
    done = call("journal", folder)
    assert done.returncode == 1, done.stderr
    assert "unreadable: " in done.stdout
    assert "unreadable: " in (folder / "journal.html").read_text()


def test_an_analysis_that_is_too_long_hides_nothing(folder: Path) -> None:
    (folder / "a" / history.ANALYSIS).write_text("x" * 20_001)
    found = history.read(folder)
    assert [entry.kind for entry in found] == ["run", "run", "proof"]
    assert found[0].analysis.startswith("unreadable: ")


def _many(count: int) -> list[Entry]:
    """Entries with long names and many changed values, as two recipes give them."""
    changed = tuple(f"augment.max_something_{i} 0.{i:04} → 0.{i + 1:04}" for i in range(20))
    return [
        Entry(
            kind="proof",
            name=f"prove/{'a-long-name-' * 12}{i}",
            folder=Path(),
            started="2026-01-01T00:00:00+00:00",
            target="99.4 %",
            aim="99.4 %",
            result="mean 99.41 % [99.30, 99.52] of 3 seeds: undecided",
            answer="undecided, budget broken",
            settings={},
            seeds=(1, 2, 3),
            percents=(99.4, 99.41, 99.42),
            images=10_000,
            analysis="Line one.\n" + "and a long second line " * 20,
            since="x",
            changed=changed,
            effect=changes.effect((99.1, 99.2, 99.15), (99.4, 99.41, 99.42), 10_000),
        )
        for i in range(count)
    ]


def test_the_terminal_shows_everything_in_120_columns() -> None:
    entries = _many(11)
    lines = [line for part in journal_parts(entries) for line in str(part).splitlines()]
    assert max(map(len, lines)) <= 120
    whole = " ".join(" ".join(lines).split())
    for line in entries[0].changed:
        assert line in whole
    assert "Target 99.4 %" in whole
    assert "more than chance" in whole
    assert "Line one." in whole


def test_the_terminal_takes_no_control_characters_from_a_name_or_an_analysis() -> None:
    (entry,) = _many(1)
    shown = "\n".join(map(str, journal_parts([replace(entry, name="bad\x1b[31m", analysis="worse\x1b[2J")])))
    assert "bad" in shown
    assert "worse" in shown
    assert "\x1b" not in shown


def test_the_page_has_an_overview_and_every_entry() -> None:
    entries = _many(3)
    html = page(entries, "mine", Path("my runs"))
    assert html.count("<section") == 3
    assert f"tinyproof journal &#39;my runs&#39; --of {entries[0].name} " in html
    assert html.index("more than chance") < html.index("<section")
    assert html.count("mean 99.41 % [99.30, 99.52] of 3 seeds: undecided") == 3


# ------------------------------------------------------------------ Markdown


def test_markdown_has_the_tries_and_each_with_its_log_and_pictures(folder: Path, tmp_path: Path) -> None:
    one = folder / "a"
    for name in ("curves.png", "misclassified.png"):
        (one / name).write_bytes(b"a picture")
    (one / "layers.txt").write_text("```\nconv\n")
    book = tmp_path / "a book" / "README.md"
    book.parent.mkdir()
    found = journal(folder, markdown=book)
    text = book.read_text(encoding="utf-8")
    assert found.markdown == book
    assert text.startswith(MARK)
    record = store.load(one)
    assert f"| {record.parameters:,} | {len(record.epochs)} |" in text
    links = [unquote(link) for link in re.findall(r"!\[[^]]*\]\(([^)]*)\)", text)]
    assert [(book.parent / link).resolve() for link in links] == [one / "curves.png", one / "misclassified.png"]
    # What stands in a file cannot end its block.
    assert "````text\n```\nconv\n````" in text
    for entry in found.entries:
        assert f". {entry.name}\n" in text
    journal(folder, markdown=book)
    assert book.read_text(encoding="utf-8") == text


def test_a_text_of_yours_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "README.md"
    own.write_text("# My own words\n")
    with pytest.raises(InputError, match=r"is there already, and was not written by `tinyproof journal`; name another"):
        journal(folder, markdown=own)
    with pytest.raises(InputError, match=r"a name that ends in \.md"):
        journal(folder, markdown=tmp_path / "README.txt")
    assert own.read_text() == "# My own words\n"


def test_markdown_shows_an_analysis_as_it_was_written() -> None:
    assert plain("<b> *five* [x](y) `a`\n# no heading") == r"&lt;b&gt; \*five\* \[x\](y) \`a\` # no heading"


def test_a_name_stands_in_the_table_as_it_was_given(folder: Path) -> None:
    entry = journal(folder, page=False).entries[0]
    assert r"| &lt;b&gt;\|x |" in tries([replace(entry, name="<b>|x")], {}).markdown()


@pytest.mark.parametrize(("tested", "told"), [((90.0, 95.0, 95.0, 94.0), "95.00 (epoch 2)"), ((None, None, 94.0), "")])
def test_the_best_epoch_is_named_where_all_were_tested(made: Made, tested: tuple[float | None, ...], told: str) -> None:
    run = store.load(made[0] / "seed-11")
    logs = tuple(replace(run.epochs[0], epoch=n, test_percent=percent) for n, percent in enumerate(tested, 1))
    assert best_epoch(replace(run, epochs=logs)) == told


def test_the_budget_that_was_asked_is_kept_with_the_run(made: Made, tmp_path: Path) -> None:
    run = store.load(_single(made, tmp_path / "one"))
    usual = store.load_budget(tmp_path / "one", run)
    store.keep_budget(tmp_path / "one", run, Budget(parameters_below=5, accuracy_percent=12.5))
    entry = journal(tmp_path, page=False).entries[0]
    assert entry.target == "12.5 %, fewer than 5 parameters"
    assert "missed: parameters" in entry.result
    store.keep_budget(tmp_path / "one", run, usual)
    assert not (tmp_path / "one" / store.BUDGET).exists()
    (tmp_path / "one" / store.BUDGET).write_text("[1]")
    with pytest.raises(DataError, match=r"budget: \[1\] is not allowed; allowed: a table of fields"):
        history.read(tmp_path)
