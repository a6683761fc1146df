# Two commands do all: `make demo` runs the whole study, `make test` the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export AUTOPHAGY_HOME ?= $(CURDIR)/.autophagy

.PHONY: demo test ui benchmarks lint lock clean-home install
.DEFAULT_GOAL := demo

install: $(INSTALLED)

# uv is bootstrapped from PyPI into the environment itself, then installs the pinned, hashed lock.
# Byte code is compiled once here: importing scPortrait without it takes three times as long.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

demo: $(INSTALLED)
	$(BIN)/autophagy demo

ui: $(INSTALLED)
	$(BIN)/autophagy ui

test: $(INSTALLED)
	$(BIN)/python -m pytest

benchmarks: $(INSTALLED)
	$(BIN)/python -m benchmarks

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Only after a change of pyproject.toml; the lock carries pins and hashes, no addresses.
lock: $(INSTALLED)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock

clean-home:
	rm -rf "$(AUTOPHAGY_HOME)"
