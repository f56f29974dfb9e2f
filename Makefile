# Everything here needs Python 3.11 or later and nothing else: each target makes its own .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV ?= .venv
ENGINES := .venv-engines
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO ?= demo
PHOTOS ?=
ARGS ?=

.PHONY: help demo test check format docs bench kills lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.demo ## Run the main job on real photographs (PHOTOS=folder: on your own)
	@$(BIN)/python examples/demo/demo.py --into "$(DEMO)" $(if $(PHOTOS),--photos "$(PHOTOS)")

test: $(VENV)/.test ## Run all tests (ARGS="-k name": some)
	@$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(VENV)/.test ## Formatting, lint, types, floors
	@echo "ruff format"; $(BIN)/ruff format --check --quiet . || { echo "Run: make format"; exit 1; }
	@echo "ruff check";  $(BIN)/ruff check --quiet .
	@echo "mypy";        $(BIN)/mypy --no-error-summary
	@echo "floors";      $(BIN)/lint-imports --no-logo | tail -n 12

format: $(VENV)/.test ## Format the code
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

docs: $(VENV)/.test ## Write the generated pages of docs/reference anew
	@$(BIN)/python docs/generate.py

bench: $(VENV)/.bench $(ENGINES)/.done ## Measure against hand-written loops and other tools (ARGS="--photos folder")
	@$(BIN)/python -m benchmarks $(ARGS)

kills: $(VENV)/.test ## Kill a run again and again, and check every guarantee (ARGS="--minutes 60")
	@PYTHONPATH=src:. $(BIN)/python -m tests.crash.kills $(ARGS)

lock: $(VENV)/bin/python ## Resolve the dependencies anew into requirements/
	@$(PIP) install uv
	@for room in test:test,moderation,alerts,dicom,audit demo:demo bench:bench; do \
	  name=$${room%%:*}; extras=$${room#*:}; \
	  echo "requirements/$$name.txt"; \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    --no-strip-markers $$(printf -- '--extra %s ' $${extras//,/ }) \
	    $$([ $$name = test ] || echo --constraint requirements/test.txt) \
	    $$([ $$name != bench ] || echo --constraint requirements/demo.txt) \
	    pyproject.toml --output-file requirements/$$name.txt; \
	done
	@echo "requirements/engines.txt"
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  --no-strip-markers --group pyproject.toml:engines --output-file requirements/engines.txt

clean: ## Remove what was made here, .venv included
	rm -rf $(VENV) $(ENGINES) $(DEMO) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Found no $(PYTHON); install Python 3.11 or later, or say make PYTHON=..."; exit 4; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Found $$($(PYTHON) --version); Python 3.11 or later is needed: make PYTHON=python3.12"; exit 4; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# These locks agree in every version, so one environment serves them all and grows.
$(VENV)/.test $(VENV)/.demo $(VENV)/.bench: $(VENV)/.%: requirements/%.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing requirements/$*.txt"
	@$(PIP) install --require-hashes -r requirements/$*.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# What coordination is held against: large, with many dependencies, and nothing of ours among them.
# Where they cannot be installed, the bench says so and leaves them out.
$(ENGINES)/.done: requirements/engines.txt | $(VENV)/bin/python
	@echo "Installing requirements/engines.txt into $(ENGINES)"
	@$(PYTHON) -m venv $(ENGINES)
	@$(ENGINES)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
	  -r requirements/engines.txt || echo "Not all of them could be installed: they are left out"
	@touch $@
