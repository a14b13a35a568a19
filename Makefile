# `make run` and `make test` set themselves up on a fresh machine. `make numerics` repeats the numerical tests with the
# instructions of other processors (those that this one has: others would end it), on one thread and on two.
# Tests run side by side, so each computes on one thread: several on every core wait for each other.
# VENV names the virtual environment (default .venv); PYTHON the interpreter that makes it (3.11 or later).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
ARGS ?=
SITE ?= site
PYTEST_ARGS ?= -n auto --dist loadgroup

.PHONY: run test numerics check docs site mutations mutations-fit house clean

run: $(VENV)/.installed-train
	$(BIN)/tinyproof run $(ARGS)

test: $(VENV)/.installed-dev check
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest $(PYTEST_ARGS)

numerics: $(VENV)/.installed-dev
	set -e; kernels=$$TINYPROOF_TEST_KERNELS; \
	if [ -z "$$kernels" ]; then kernels=$$(mktemp -d); trap 'rm -rf "$$kernels"' EXIT; fi; \
	best=$$(env -u ATEN_CPU_CAPABILITY $(BIN)/python -c 'import torch; print(torch.backends.cpu.get_cpu_capability())'); \
	case $$best in AVX512) more='avx2:AVX2 avx512:AVX512_CORE';; AVX2) more=avx2:AVX2;; *) more=;; esac; \
	echo "== this processor has $$best"; \
	for isa in default:SSE41 $$more; do for threads in 1 2; do \
	  echo "== $$isa, $$threads thread(s)"; if [ $$threads = 1 ]; then beside=auto; else beside=0; fi; \
	  ATEN_CPU_CAPABILITY=$${isa%:*} ONEDNN_MAX_CPU_ISA=$${isa#*:} OMP_NUM_THREADS=$$threads MKL_NUM_THREADS=$$threads \
	  OPENBLAS_NUM_THREADS=$$threads TINYPROOF_TEST_KERNELS=$$kernels \
	  $(BIN)/python -m pytest -q -n $$beside --dist loadgroup -m numerics tests/backprop tests/engine tests/train; \
	done; done

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev
	$(BIN)/python tools/docs.py --write

site: $(VENV)/.installed-dev
	$(BIN)/python tools/site.py --out $(SITE)

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
