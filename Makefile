# Everything a person needs. The first two need only Python 3.11 and make: they install the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TESTS  ?= tests
QUIETLY := -q --disable-pip-version-check --require-hashes

# Where compiled files may not be kept, each of the demo's commands compiles its libraries anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo moto test demo-kafka lint types format env golden picture lock bench fuzz damage clean wheel

help:            ## List all commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(VENV)/ready            ## Real work end to end, no server: logs to invoices, under a minute
	@$(BIN)/python edgetoll.py demo

test: $(VENV)/ready-dev        ## All tests this machine can run; the last lines name what it lacks
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup --no-loadscope-reorder $(TESTS)

demo-kafka: $(VENV)/ready-dev  ## The demo through a real Apache Kafka (needs Java 17 and Maven)
	@$(BIN)/python deploy/kafka/demo.py

lint: $(VENV)/ready-dev        ## ruff: format and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/ready-dev       ## mypy, strict
	@$(BIN)/mypy

format: $(VENV)/ready-dev      ## Format the code in place
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

golden: $(VENV)/ready-dev      ## Rewrite the golden files; look at the diff before you commit it
	@EDGETOLL_GOLDEN=write $(BIN)/python -m pytest -q -k golden tests

picture: $(VENV)/ready         ## Make docs/demo.svg anew: the demo as the README shows it
	@$(BIN)/python docs/picture.py

bench: $(VENV)/ready-dev       ## Measure: all of bench/, or one: make bench NAME=rating ARGS='--accounts 10000'
	@for name in $(or $(NAME),$(basename $(notdir $(wildcard bench/*.py)))); do \
	  echo "== bench.$$name"; $(BIN)/python -m bench.$$name $(ARGS) || exit 1; done

fuzz: $(VENV)/ready-dev        ## Fuzz every reader, FUZZ_SECONDS=60 each or FUZZ_TOTAL=300 in all; prints seeds
	@EDGETOLL_FUZZ_TOTAL=$(FUZZ_TOTAL) EDGETOLL_FUZZ_SECONDS=$(if $(FUZZ_TOTAL),,$(or $(FUZZ_SECONDS),60)) \
	  $(BIN)/python -m pytest -q -p no:cacheprovider -n 2 --dist load --maxschedchunk=1 tests/fuzz

damage: $(VENV)/ready-dev      ## Every kind of file of a home x every kind of damage: none may be silent
	@$(BIN)/python -m bench.trials.damage

lock: $(VENV)/ready-dev        ## Pin each requirements*.in again, with hashes
	@$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate requirements.in -o requirements.lock
	@$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate requirements-dev.in -c requirements.lock -o requirements-dev.lock
	@$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate requirements-moto.in -o requirements-moto.lock

wheel: $(VENV)/ready-dev       ## Build the wheel into dist/
	@$(BIN)/uv build -q --wheel

env: $(VENV)/ready-dev         ## Only make the environment (.venv)

moto: $(VENV)/ready-moto       ## The object store that tests of s3:// read from (.venv/moto)

clean:           ## Remove the environment and caches, never a home
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

# uv installs in seconds what pip needs most of a minute for; it comes pinned by hash itself, by the pip that
# Python has: making a pip for the environment first would take longer than all the rest.
$(VENV)/bin/uv: requirements-uv.lock
	@echo "making $(VENV)" >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "edgetoll needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv --without-pip $(VENV)
	@if $(PYTHON) -m pip --version >/dev/null 2>&1; \
	then $(PYTHON) -m pip --python $(BIN)/python install $(QUIETLY) -r requirements-uv.lock; \
	else $(BIN)/python -m ensurepip >/dev/null && $(BIN)/python -m pip install $(QUIETLY) -r requirements-uv.lock; fi
	@touch $@

$(VENV)/ready: $(VENV)/bin/uv requirements.lock
	@echo "installing what edgetoll needs (pinned, hashes checked)" >&2
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.lock
	@echo "installing what the tests need (pinned, hashes checked)" >&2
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/ready-moto: $(VENV)/bin/uv requirements-moto.lock
	@echo "installing the object store of the tests (pinned, hashes checked)" >&2
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(VENV)/moto
	@$(BIN)/uv pip install -q --python $(VENV)/moto/bin/python --require-hashes -r requirements-moto.lock
	@touch $@
