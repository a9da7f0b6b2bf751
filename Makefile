# Every target sets up what it needs: a .venv with the project installed in it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-all lint reference bench wheels clean

demo: $(READY)
	$(BIN)/ninjaone demo

test: $(READY) wheels
	$(BIN)/python -m pytest -n auto --dist loadfile

test-all: $(READY) wheels
	$(BIN)/python -m pytest -n auto --dist loadfile --all

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy connector
	$(BIN)/ninjaone catalog check
	$(BIN)/ninjaone catalog reference | diff --brief docs/actions.md - || (echo "run: make reference"; exit 1)

reference: $(READY)
	mkdir -p docs
	$(BIN)/ninjaone catalog reference > docs/actions.md

# Side by side with its peers, into docs/benchmarks.md. About 20 minutes; `python -m benchmarks --quick` tries it out.
bench: $(READY)
	$(BIN)/python -m benchmarks

# The wheel and all that it needs, put aside while the network may be used, so that the tests need none.
wheels: $(READY) $(VENV)/wheels/.ready

$(VENV)/wheels/.ready: $(READY) setup.cfg pyproject.toml
	$(BIN)/python -m pip download --quiet --dest $(VENV)/wheels ".[dev]" "setuptools>=68" wheel
	@touch $@

$(READY): setup.cfg pyproject.toml
	$(PYTHON) -c "import sys; assert sys.version_info >= (3, 10), 'Python 3.10 or newer is needed'"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis demo-output
