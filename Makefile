# The tools of this checkout. Needs Python 3.11 or newer, make and git; everything else is put into .venv and the cache.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
PORT ?= 8080
DIST ?= dist
BIN := .venv/bin
LOCK := pyproject.toml uv.lock
PYTEST := $(BIN)/python -m pytest
SOURCES := src tests bench

.DEFAULT_GOAL := help
.PHONY: help setup run tools test lint types format conformance parity contract clients crash storage bench wheel image clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

setup: .venv/.served ## Set up .venv with what Mooring needs to run

run: setup ## Start Mooring on http://localhost:8080 with its data in ./data
	@$(BIN)/mooring serve --data data --port $(PORT)

tools: .venv/.developed ## Set up what the tests need: packages when root, Go programs when Go is there
	@$(BIN)/python -m tests.parts.tools

test: tools ## Run every test in its short form
	@$(BIN)/python -m compileall -q src tests
	$(PYTEST) --numprocesses auto

lint: types ## Check style, types and the direction of imports
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/lint-imports

types: .venv/.developed ## Check types
	$(BIN)/mypy

format: .venv/.developed ## Put the code into its shape
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

conformance: tools ## Run the OCI conformance suite, profiles stable and dev
	$(PYTEST) tests/conformance

parity: tools ## Compare with the recorded answers of a real Harbor
	$(PYTEST) tests/parity

contract: tools ## Hold the API to Harbor's contract, with generated calls, and everybody to their rights
	$(PYTEST) tests/contract tests/api/test_matrix.py --full

clients: tools ## Push and pull with every client, layers of 2 GB too
	$(PYTEST) tests/clients --full

crash: tools ## Kill the server at random moments of concurrent pushes, 200 rounds
	$(PYTEST) tests/crash --full

storage: tools ## Run the suite of the storage drivers
	$(PYTEST) tests/storage --full

bench: tools ## Measure Mooring beside distribution
	$(BIN)/python -m bench

wheel: .venv/.served ## Build the wheel into dist/, and the list of what it is installed with
	$(BIN)/uv build --quiet --wheel --clear --out-dir $(DIST)
	$(BIN)/uv export --quiet --locked --no-default-groups --no-emit-project --output-file $(DIST)/requirements.txt

image: tools ## Build the container image, from a base made here and served by Mooring, and run it
	$(PYTEST) tests/image

clean: ## Remove what was built; the data stays
	rm -rf .venv dist results .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed; install it or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=/path/to/python3" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/.served: $(LOCK) | $(BIN)/uv
	$(BIN)/uv sync --quiet --locked --inexact --no-default-groups --compile-bytecode
	@$(BIN)/python -m compileall -q src
	@touch $@

.venv/.developed: $(LOCK) | $(BIN)/uv
	$(BIN)/uv sync --quiet --locked --inexact --all-groups --compile-bytecode
	@touch $@ .venv/.served
