# Every target sets up what it needs: a .venv with the project installed in it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LHUB_SDK := lhub_integ==1.0.14

.PHONY: demo test test-all torture fuzz lint reference bench wheels wheels-all keyring chromium vendor answers screenshots clean

demo: $(READY)
	$(BIN)/ninjaone demo

test: $(READY) wheels
	$(BIN)/python -m pytest -n auto --dist loadfile

test-all: $(READY) wheels-all
	$(BIN)/python -m pytest -n auto --dist loadfile --all

# Hundreds of kills, full disks and tens of thousands of rows under faults; what they met is printed at the end.
torture: $(READY)
	$(BIN)/python -m pytest -n 2 --dist load --all tests/torture

# Whatever comes from outside, in any form, for so many seconds in all; what is not stood is printed.
SECONDS := 60
fuzz: $(READY)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy connector benchmarks
	$(BIN)/ninjaone catalog check
	$(BIN)/ninjaone catalog reference | diff --brief docs/actions.md - || (echo "run: make reference"; exit 1)

reference: $(READY)
	mkdir -p docs
	$(BIN)/ninjaone catalog reference > docs/actions.md

# Side by side with its peers, into docs/benchmarks.md. About 20 minutes; `python -m benchmarks --quick` tries it out.
bench: $(READY)
	$(BIN)/python -m benchmarks

# A real keyring for the tests. Packages of the system are installed by this target alone, and only for root.
KEYRING := dbus-run-session dbus-send gnome-keyring-daemon
keyring:
	@for program in $(KEYRING); do command -v $$program >/dev/null || lacking=yes; done; \
	if [ -z "$$lacking" ]; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends dbus gnome-keyring >/dev/null; \
	else echo "the tests with a real keyring are skipped, as they need $(KEYRING)"; fi

# A real browser for the tests, in the same way.
chromium:
	@if command -v chromium >/dev/null; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends chromium >/dev/null; \
	else echo "the tests in a browser are skipped, as they need chromium"; fi

# The catalogue's search library, as it is in its registry: pinned here, minified, with its licence beside it.
MINISEARCH := minisearch@7.2.0
TERSER := terser@5.44.0
VENDOR := connector/web/static/vendor
vendor: $(READY)
	rm -rf build/vendor && mkdir -p build/vendor
	cd build/vendor && npm pack --silent $(MINISEARCH) && tar -xzf minisearch-*.tgz
	cd build/vendor && npx --yes $(TERSER) package/dist/umd/index.js --compress --mangle \
		--format "preamble='/* $(MINISEARCH), MIT licence: see minisearch.LICENSE.txt */'" --output minisearch.js
	cp build/vendor/minisearch.js $(VENDOR)/minisearch.js
	cp build/vendor/package/LICENSE.txt $(VENDOR)/minisearch.LICENSE.txt
	cd $(VENDOR) && sha256sum minisearch.js minisearch.LICENSE.txt > SHA256SUMS

# What the catalogue shows as answers: what the sandbox of today says.
answers: $(READY)
	$(BIN)/python -m tests.web.make_answers

# The pictures of the catalogue that README shows.
screenshots: $(READY) chromium
	$(BIN)/python -m tests.web.make_screenshots

# The wheel and all that it needs, put aside while the network may be used, so that the tests need none;
# with it the SDK of LogicHub, for tests in an environment of the SDK's own old pins.
wheels: $(READY) $(VENV)/wheels/.ready

$(VENV)/wheels/.ready: $(READY) setup.cfg pyproject.toml Makefile
	$(BIN)/python -m pip download --quiet --dest $(VENV)/wheels ".[dev]" "setuptools>=68" wheel
	$(BIN)/python -m pip wheel --quiet --wheel-dir $(VENV)/wheels $(LHUB_SDK)
	@touch $@

# The same for every other Python that the SDK supports, for the slow tests.
wheels-all: wheels $(VENV)/wheels/.all

$(VENV)/wheels/.all: $(VENV)/wheels/.ready
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(VENV)/own .
	for version in 3.10 3.11 3.12 3.13; do \
		$(BIN)/python -m pip download --quiet --dest $(VENV)/wheels --find-links $(VENV)/wheels \
			--only-binary=:all: --python-version $$version $(VENV)/own/*.whl $(LHUB_SDK) || exit 1; \
	done
	rm -f $(VENV)/wheels/ninjaone_connector-*
	@touch $@

$(READY): setup.cfg pyproject.toml
	$(PYTHON) -c "import sys; assert sys.version_info >= (3, 10), 'Python 3.10 or newer is needed'"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis demo-output
