.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# One process a core; a process that is done takes tests from another.
PARALLEL := -n auto --dist worksteal
export NO_ALBUMENTATIONS_UPDATE := 1

# Relative to where make was started.
ifdef VIDREID_GOLDEN
export VIDREID_GOLDEN := $(abspath $(VIDREID_GOLDEN))
endif

.PHONY: help setup demo test test-fuzz test-fast test-golden lint types format bench scatter clean lock

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed ## create .venv with the pinned dependencies and vidreid itself

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vidreid needs Python 3.11 or newer: make setup PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## render, train, evaluate and compare PCB and KMPNet: under five minutes on two cores
	$(RUN) -m vidreid.commands.demo $(DEMO)

# One thread a process: the tests' networks are tiny, and some tests run several processes.
test test-fast test-golden test-fuzz: export OMP_NUM_THREADS := 1

test: export VIDREID_FUZZ ?= 300
test: setup ## all tests, one process a core
	$(RUN) -m pytest $(PARALLEL)

test-fuzz: setup ## 10,000 spoiled trees and files for every reader: half an hour on two cores
	VIDREID_FUZZ=10000 $(RUN) -m pytest $(PARALLEL) tests/data/test_fuzz.py

test-fast: setup ## all tests but the slow ones
	$(RUN) -m pytest $(PARALLEL) -m "not slow"

test-golden: setup ## the tests against numbers of released code (VIDREID_GOLDEN=FOLDER: other files of the same form)
	$(RUN) -m pytest -m golden

lint: setup ## ruff: rules and format
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: setup ## the type checker
	$(VENV)/bin/basedpyright

format: setup ## let ruff rewrite what it can
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: setup ## speed and memory as ratios, written to benchmarks/results.json
	$(RUN) benchmarks/run.py

scatter: setup ## build torch-scatter against the installed torch (once a machine) and install it
	$(RUN) scripts/build_torch_scatter.py

lock: setup ## pin requirements.txt anew
	$(RUN) -m uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet --upgrade --output-file requirements.txt

clean: ## remove .venv, caches, runs and rendered data
	rm -rf $(VENV) .pytest_cache .ruff_cache runs data outputs multirun dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
