# Two commands do all: `make demo` runs the whole study, `make test` the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .uv/bin/uv
INSTALLED := $(VENV)/.installed
JOBS ?= 2
DEMO_HOME := $(CURDIR)/.autophagy-demo

.PHONY: demo demo-ui test test-fast ui benchmarks lint lock clean-home clean-demo install
.DEFAULT_GOAL := demo

install: $(INSTALLED)

# uv comes from PyPI into a folder of its own, then installs the pinned, hashed lock. Where the
# machine's Python is newer than 3.12, uv fetches one: cellpose has no numpy for newer ones yet.
# Byte code is compiled once here: importing scPortrait without it takes three times as long.
FITTING := '>=3.11,<3.13'
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv
	fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'; \
	$(UV) venv --quiet --allow-existing --python \
		"$$($(PYTHON) -c "$$fits" && command -v $(PYTHON) || echo $(FITTING))" $(VENV)
	$(UV) pip install --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

demo: $(INSTALLED)
	AUTOPHAGY_HOME="$(DEMO_HOME)" $(BIN)/autophagy demo

demo-ui: $(INSTALLED)
	AUTOPHAGY_HOME="$(DEMO_HOME)" $(BIN)/autophagy demo --ui

ui: $(INSTALLED)
	$(BIN)/autophagy ui

# Byte code of the platform and its tests is kept, whatever the shell has set: the tests start many
# processes of it.
test test-fast: export PYTHONDONTWRITEBYTECODE =

# One file of tests at a time in each of JOBS processes, each with a home and a store of its own; the
# longest first (autophagy_assets_tests/order.py).
test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

# For the inner loop: no server, no browser, no scPortrait, and few examples of each law.
test-fast: $(INSTALLED)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow" \
		--hypothesis-profile few $(FAST)

benchmarks: $(INSTALLED)
	$(BIN)/python -m benchmarks

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Only after a change of pyproject.toml; the lock carries pins and hashes, no addresses.
lock: $(INSTALLED)
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock

# Of this checkout only, whatever AUTOPHAGY_HOME says. YES=1: without asking.
clean-home clean-demo:
	AUTOPHAGY_HOME="$(if $(filter clean-demo,$@),$(DEMO_HOME),$(CURDIR)/.autophagy)" \
		$(BIN)/autophagy delete $(if $(filter 1,$(YES)),--yes)
