# Each target does its own set-up: Python 3.11 or later and GNU make are all it takes.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
JOBS   ?= 2

.PHONY: run test check format bench docs test-interpreted test-bounds pin clean

run: $(VENV)/.runtime
	$(BIN)/ringfence serve --replay demo

test: $(VENV)/.develop
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -n $(JOBS) --ignore=tests/browser
	$(BIN)/python -m pytest tests/browser # apart: Playwright keeps an event loop in its thread

test-interpreted: $(VENV)/.develop
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m coverage run -m pytest tests/core tests/properties
	$(BIN)/python -m coverage report --show-missing --fail-under=100

test-bounds: $(VENV)/.develop
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -n $(JOBS) tests/core tests/properties

check: $(VENV)/.develop
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q tests/architecture

format: $(VENV)/.develop
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.develop
	$(BIN)/ringfence bench

docs: $(VENV)/.develop
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

pin: $(VENV)/.develop
	$(BIN)/pip install -q uv
	for set in runtime develop; do \
	  $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-annotate --quiet requirements/$$set.in -o requirements/$$set.txt; done

# The package is installed in place, so a changed source needs no second installation.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	@test -n "$(PYTHON)" \
	  || { echo "Ringfence needs Python 3.11 or later; set PYTHON=/path/to/it"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.develop: requirements/develop.txt $(VENV)/.runtime
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/develop.txt
	touch $@

clean:
	rm -rf $(VENV) build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
