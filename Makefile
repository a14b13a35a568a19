# Two commands: `make run` and `make test`. Each sets itself up on a fresh machine.
# VENV names the virtual environment (default .venv); PYTHON the interpreter that makes it (3.11 or later).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
ARGS ?=
PYTEST_ARGS ?= -n auto

.PHONY: run test check docs mutations mutations-fit house clean

run: $(VENV)/.installed-train
	$(BIN)/tinyproof run $(ARGS)

test: $(VENV)/.installed-dev check
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev
	$(BIN)/python tools/docs.py --write

mutations: $(VENV)/.installed-dev
	$(BIN)/python tools/mutation.py

mutations-fit:
	$(PYTHON) tools/mutation.py --check

house:
	$(PYTHON) tools/house.py

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# torch first, by its exact version: where a CPU build is at hand, pip takes it instead of several GB of CUDA packages.
$(VENV)/.torch: constraints.txt | $(BIN)/python
	$(PIP) install --quiet "$$(grep '^torch==' constraints.txt)" -c constraints.txt
	touch $@

$(VENV)/.installed-train: pyproject.toml constraints.txt $(VENV)/.torch
	$(PIP) install --quiet -e '.[train]' -c constraints.txt
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt $(VENV)/.torch
	$(PIP) install --quiet -e '.[dev]' -c constraints.txt
	touch $@ $(VENV)/.installed-train

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist src/*.egg-info
