# The front door. `make demo` shows the product, `make test` proves it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo up down test lint contract format bench acceptance faults fuzz requirements clean

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
COMPILE := pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url

help:  ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
		{ echo "Python 3.11 or 3.12 is needed; say which with 'make PYTHON=/path/to/python3.11'."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(READY)  ## Start everything and tell the Luma story (ONCE=1 stops afterwards)
	$(BIN)/python -m demo $(if $(ONCE),--once)

up: $(READY)  ## Run the platform on embedded engines; Ctrl-C stops it
	$(BIN)/python -m cdp.engines up

down: $(READY)  ## Stop what `make up` left running
	$(BIN)/python -m cdp.engines down

test: $(READY)  ## Run the whole suite (ARGS=tests/queue for a part of it)
	$(BIN)/python -m pytest $(or $(ARGS),-m "not alone" --numprocesses auto --maxprocesses 4 --dist loadfile)
	$(if $(ARGS),,$(BIN)/python -m pytest -m alone)

lint: $(READY)  ## Format, lint, types, import directions, missing migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

contract: $(READY)  ## Write down the API after a change of it that is meant
	$(BIN)/python -m tests.api.contract

format: $(READY)  ## Let the formatter have its way
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## Measure; one JSON object a line (ARGS=--small for a quick look)
	$(BIN)/python -m benchmarks --json $(ARGS)

acceptance: $(READY)  ## One line for each demand on the product
	$(BIN)/python -m tests.acceptance

faults: $(READY)  ## Kill everything, many times, while events come in
	$(BIN)/python -m tests.faults

fuzz: $(READY)  ## The long runs of the property tests
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -m "property or long" $(ARGS)

requirements: $(READY)  ## Pin what pyproject.toml asks for
	$(BIN)/uv $(COMPILE) --output-file requirements.txt pyproject.toml
	$(BIN)/uv $(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

clean:  ## Remove the environment and the demo's data
	rm -rf .venv .data
