"""Where modules of version 0.1 stand now: an old import path is answered by one line. To be deleted with 0.3."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

_MOVED = {
    "backprop.draw": "backprop.random_net",
    "backprop.formula": "check.workbook.read.formula",
    "backprop.formula_functions": "check.workbook.read.worksheet_functions",
    "backprop.words": "backprop.descriptions",
    "backprop.workbook": "backprop.book",
    "backprop.xlsx_guard": "check.workbook.read.guard",
    "backprop.xlsx_read": "check.workbook.read.cells",
    "backprop.xlsx_xml": "check.workbook.read.xml_names",
    "check.notebook.attributes": "check.code.interpreter.attributes",
    "check.notebook.audit": "check.notebook.notebook_audit",
    "check.notebook.binding": "check.code.interpreter.binding",
    "check.notebook.calls": "check.code.interpreter.calls",
    "check.notebook.clean": "check.code.clean",
    "check.notebook.comprehensions": "check.code.interpreter.comprehensions",
    "check.notebook.data": "check.code.library.loaders",
    "check.notebook.document": "check.notebook.read.document",
    "check.notebook.evaluate": "check.code.interpreter.expressions",
    "check.notebook.events": "check.code.interpreter.events",
    "check.notebook.imports": "check.code.interpreter.imports",
    "check.notebook.interpret": "check.code.interpreter.statements",
    "check.notebook.lightning": "check.code.library.lightning",
    "check.notebook.loops": "check.code.interpreter.loops",
    "check.notebook.machine": "check.code.interpreter.machine",
    "check.notebook.methods": "check.code.library.methods",
    "check.notebook.network": "check.code.library.modules",
    "check.notebook.operators": "check.code.interpreter.operators",
    "check.notebook.quantities": "check.code.interpreter.quantities",
    "check.notebook.repository": "check.notebook.read.repository",
    "check.notebook.tensors": "check.code.library.tensors",
    "check.notebook.transforms": "check.code.library.image_transforms",
    "check.notebook.unpacking": "check.code.interpreter.unpacking",
    "check.notebook.values": "check.code.interpreter.values",
    "check.notebook.weights": "check.code.library.parameters",
    "check.notebook.interpreter": "check.code.interpreter",
    "check.notebook.library": "check.code.library",
    "check.notebook.read.clean": "check.code.clean",
    "check.workbook.charts": "check.workbook.rules.charts",
    "check.workbook.circles": "check.workbook.rules.circles",
    "check.workbook.effects": "check.workbook.rules.effects",
    "check.workbook.forward": "check.workbook.rules.forward",
    "check.workbook.gradients": "check.workbook.rules.gradients",
    "check.workbook.grid": "check.workbook.understand.grid",
    "check.workbook.headings": "check.workbook.rules.headings",
    "check.workbook.judge": "check.workbook.rules.judge",
    "check.workbook.labels": "check.workbook.rules.labels",
    "check.workbook.lossruns": "check.workbook.rules.loss_columns",
    "check.workbook.meaning": "check.workbook.understand.meaning",
    "check.workbook.mistake": "check.workbook.rules.mistake",
    "check.workbook.network": "check.workbook.understand.trained_network",
    "check.workbook.numbers": "check.workbook.rules.numbers",
    "check.workbook.patterns": "check.workbook.understand.patterns",
    "check.workbook.rate_cells": "check.workbook.rules.rate_cells",
    "check.workbook.rates": "check.workbook.rules.rates",
    "check.workbook.reasons": "check.workbook.rules.reasons",
    "check.workbook.repair": "check.workbook.rules.repair",
    "check.workbook.report": "check.workbook.say.to_findings",
    "check.workbook.roles": "check.workbook.understand.roles",
    "check.workbook.stale": "check.workbook.rules.stale",
    "check.workbook.structure": "check.workbook.understand.structure",
    "check.workbook.tables": "check.workbook.understand.tables",
    "check.workbook.template": "check.workbook.understand.template",
    "check.workbook.train": "check.workbook.rules.retraining",
    "check.workbook.typed_tables": "check.workbook.rules.typed_tables",
    "check.workbook.updates": "check.workbook.rules.updates",
    "check.workbook.values": "check.workbook.rules.typed_numbers",
    "check.workbook.views": "check.workbook.say.views",
    "check.workbook.words": "check.workbook.understand.heading_words",
    "cli.audit": "cli.checking",
    "cli.prove": "cli.evidence",
    "cli.run": "cli.main_job",
    "cli.study": "cli.experiments",
    "cnn.analysis": "prove.analysis",
    "cnn.anatomy": "network.anatomy",
    "cnn.augment": "train.augment",
    "cnn.budget": "network.budget",
    "cnn.changes": "prove.journal.changes",
    "cnn.claims": "prove.published_claims",
    "cnn.comparison": "prove.comparison",
    "cnn.cost": "train.cost",
    "cnn.data": "data.dataset",
    "cnn.declaration": "prove.declaration",
    "cnn.engine.native": "train.engine.native.native_engine",
    "cnn.engine.native_build": "train.engine.native.build",
    "cnn.engine.native_cache": "train.engine.native.kernel_cache",
    "cnn.engine.native_layers": "train.engine.native.layers",
    "cnn.engine.native_library": "train.engine.native.compiled",
    "cnn.engine.native_plan": "train.engine.native.plan",
    "cnn.engine.native_scratch": "train.engine.native.scratch",
    "cnn.engine.native_source": "train.engine.native.source",
    "cnn.engine.native_tiles": "train.engine.native.tiles",
    "cnn.engine.native_trace": "train.engine.native.chain",
    "cnn.engine.torch": "train.engine.torch_engine",
    "cnn.entries": "prove.journal.entries",
    "cnn.fit": "train.rehearse",
    "cnn.functional": "network.functional",
    "cnn.idx": "data.idx",
    "cnn.journal": "prove.journal.history",
    "cnn.known": "prove.known_figures",
    "cnn.layout": "network.layout",
    "cnn.looks": "prove.evaluations",
    "cnn.machine": "train.environment",
    "cnn.mnist": "data.published",
    "cnn.moves": "network.moving",
    "cnn.multiply_adds": "network.multiply_adds",
    "cnn.nets": "network.nets",
    "cnn.own_data": "data.own_data",
    "cnn.own_pictures": "data.own_pictures",
    "cnn.places": "network.placement",
    "cnn.proof": "prove.proof",
    "cnn.rates": "train.lr_range",
    "cnn.reach": "network.receptive_field",
    "cnn.recipe": "train.recipe",
    "cnn.recipe_text": "train.recipe_text",
    "cnn.reproduction": "prove.reproduction",
    "cnn.run": "train.run_record",
    "cnn.schedule": "train.schedule",
    "cnn.step": "network.operator_call",
    "cnn.store": "train.store",
    "cnn.trace": "network.forward_pass",
    "cnn.train": "train.loop",
    "cnn.verdict": "prove.verdict",
    "cnn.watch": "core.listener",
    "cnn.windows": "network.mixing",
    "core.finding": "check.finding",
    "jobs.audit": "api.audit",
    "jobs.audit_code_text": "show.audit_code_text",
    "jobs.audit_text": "show.audit_text",
    "jobs.compare": "api.compare",
    "jobs.course": "api.course",
    "jobs.data": "api.data",
    "jobs.declare": "prove.declare",
    "jobs.derive": "api.derive",
    "jobs.experiment": "api.sweep",
    "jobs.journal": "api.journal",
    "jobs.models": "api.models",
    "jobs.one_run": "prove.worker",
    "jobs.page": "api.page",
    "jobs.predict": "api.predict",
    "jobs.prove": "api.prove",
    "jobs.rates": "api.lr_test",
    "jobs.report": "api.report",
    "jobs.reproduce": "api.reproduce",
    "jobs.run": "api.run",
    "jobs.same": "prove.unchanged",
    "jobs.series": "prove.parallel_runs",
    "jobs.stored_pages": "api.report",
    "jobs.tables": "show.trace_text",
    "jobs.train": "api.train",
    "jobs.verify": "api.verify",
    "jobs.verify_again": "prove.verify.recompute",
    "jobs.verify_lines": "prove.verify.lines",
    "jobs.verify_looks": "prove.verify.recount_evaluations",
    "jobs.verify_proof": "prove.verify.recount_proof",
    "jobs.verify_run": "prove.verify.recount_run",
    "jobs.workbook": "api.workbook",
    "show.diagram": "show.drawing.fully_connected",
    "show.live": "show.terminal",
    "show.progress": "show.terminal",
    "show.report": "show.run_page",
    "show.stepper_data": "show.stepper.page_data",
    "show.stepper_labels": "show.sliding_labels",
    "show.stepper_layout": "show.drawing.layered",
    "show.stepper_words": "show.stepper.sentences",
}
_ROOMS = {"cnn": "data, network, train and prove", "cnn.engine": "train.engine", "jobs": "api, prove and show"}


class Moved:
    """Asked last, for a module that was found nowhere: names the new place of one that has moved."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Raise ModuleNotFoundError with the new path; None for every other name."""
        package, _, old = name.partition(".")
        if package == "tinyproof":
            if old in _MOVED:
                raise ModuleNotFoundError(f"{name} is now tinyproof.{_MOVED[old]}", name=name)
            if old in _ROOMS:
                return ModuleSpec(name, _Room(), is_package=True)
        return None


class _Room(Loader):
    """A room that was dissolved: it can be entered, so that the module asked for inside it can be named."""

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual module."""

    def exec_module(self, module: ModuleType) -> None:
        """Every name of the room is answered by its new place."""
        room = module.__name__.partition(".")[2]

        def missing(name: str) -> object:
            if f"{room}.{name}" in _MOVED:
                raise ImportError(f"tinyproof.{room}.{name} is now tinyproof.{_MOVED[f'{room}.{name}']}")
            raise AttributeError(f"tinyproof.{room} is now {_ROOMS[room]}; it has no {name!r}")

        module.__dict__["__getattr__"] = missing
