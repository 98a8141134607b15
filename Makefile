# make run    set up and start everything on this machine
# make test   set up and run every test, with lint, types, layers and the documentation
# make quick  the checks, and the tests that need no other process: about a minute and a half on two cores
# make lint   the checks alone
# make audit  whether a package in use has a known vulnerability (asks osv.dev)
# make bench  the measurements, as tables
# make console      build the console (needs Node.js 20 or newer); make run does it when Node is there
# make screenshots  every page of the console, light, dark and phone, into screenshots/
# make docs   the documentation, into site/

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

# what pip is doing: one moving line in a terminal, a line for each large download elsewhere
PIP  = $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --editable
SHOW = awk -v tty="$$([ -t 2 ] && echo yes)" '/^ *(Collecting|Downloading|Building|Installing)/ { \
       if (tty) printf "\r\033[K  %.100s", $$0; else if (/ MB\)|Installing/) print "  " substr($$0, 1, 100); fflush() } \
       END { if (tty) printf "\r\033[K" }'

.PHONY: quick audit console console-if-node screenshots run test lint bench docs setup setup-dev clean

setup: $(VENV)/.installed

setup-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Snowgauge needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(VENV)/bin/python
	@echo "Installing Python packages into $(VENV) (only the first time; a minute or two)"
	@$(PIP) '.[postgres]' | $(SHOW)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/bin/python
	@echo "Installing Python packages and what the tests need into $(VENV) (only the first time; a few minutes)"
	@$(PIP) '.[dev]' | $(SHOW)
	@touch $@ $(VENV)/.installed

STATIC := src/snowgauge/console/static
WEB    := $(shell find web/src web/public -type f ! -name schema.d.ts) web/index.html web/package.json web/package-lock.json web/vite.config.ts web/tsconfig.json

web/node_modules/.package-lock.json: web/package-lock.json
	@# not `npm ci`: it refuses a lock file that leaves out optional packages of other systems
	@echo "Installing the console's packages into web/node_modules (only the first time; under a minute)"
	@cd web && npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

$(STATIC)/index.html: $(WEB) $(wildcard src/snowgauge/api/v1/*.py) | setup
	@$(MAKE) --no-print-directory web/node_modules/.package-lock.json
	@echo "Building the console"
	@$(BIN)/python -m snowgauge docs openapi web/openapi.json >/dev/null
	@cd web && npm run --silent api >/dev/null && npm run --silent check && npm run --silent build -- --logLevel warn

console: $(STATIC)/index.html

console-if-node: setup
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory console; \
	else echo "no Node.js here: the console is not built, everything else runs"; fi

screenshots: setup-dev console
	$(BIN)/python tests/console/screenshots.py

run: setup console-if-node
	@echo "Starting Snowgauge"
	@$(BIN)/python -m snowgauge serve $(ARGS)

lint: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/find_secrets.py

audit: setup-dev
	$(BIN)/python -m pip check
	$(BIN)/python .ci/audit.py

docs: setup-dev
	$(BIN)/python -m snowgauge docs reference --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

test: lint docs console-if-node
	@if command -v npm >/dev/null; then cd web && npm test --silent; else echo "no Node.js here: web/ is not tested"; fi
	# a folder of its own: a test session that starts meanwhile may clear away the shared ones
	# what fails is run once more, alone: a test that then passes met a busy machine or another test, and is named for mending
	@place=$$(mktemp -d "$${TMPDIR:-/tmp}/snowgauge-tests.XXXXXX"); \
	$(BIN)/python -m pytest -n 2 --dist worksteal --basetemp="$$place/run" -o cache_dir="$$place/cache" $(ARGS) || { \
	echo "Running what failed once more, alone"; \
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none -p no:randomly --basetemp="$$place/again" \
	  -o cache_dir="$$place/cache" $(ARGS) && echo "UNSTABLE: the tests named FAILED above passed alone; mend them"; \
	} && rm -rf "$$place"

# what starts no browser, no server and no crash: rules of the protocol, validation, enrichment, words, access
QUICK := tests/events tests/enrich tests/iglu tests/settings tests/plan tests/conformance tests/test_words.py \
         tests/actions/test_access.py tests/actions/test_invitations.py tests/actions/test_second_factor.py \
         tests/api/test_doors.py tests/api/test_limited.py tests/api/test_login.py tests/alerts/test_baseline.py \
         tests/analytics/test_periods.py tests/cli/test_docs.py tests/cli/test_json.py tests/cli/test_lazy.py \
         tests/collector/test_payloads.py tests/collector/test_redirects.py tests/collector/test_settings.py

quick: lint
	@place=$$(mktemp -d "$${TMPDIR:-/tmp}/snowgauge-tests.XXXXXX"); \
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --basetemp="$$place/run" --ignore=tests/enrich/enrichments/test_sql_query.py $(QUICK) $(ARGS) && rm -rf "$$place"

bench: setup-dev
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf web/node_modules $(STATIC) $(VENV) site build dist .mypy_cache .ruff_cache .pytest_cache
