# Grievance redress system. `make help` lists the targets.
# Needs: Debian or Ubuntu with make and python3 (3.11 or newer, with venv). Everything else is installed into .tools and .venv.

PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin

# One `export` a line: `export A=x B=y` would set A to "x B=y".
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
export UV_NO_PROGRESS := 1
# The system's certificates where it has them, as a site may have its own authority; else the ones uv brings along.
export UV_SYSTEM_CERTS := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),1,0)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Universal (any platform), hash-pinned, and without the address of any registry: works with pip, uv and behind mirrors.
COMPILE := $(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --upgrade

.DEFAULT_GOAL := help
.PHONY: help run test quick faults recounts browsers demo bench lint lock clean

help: ## lists every target
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-11s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/ok ## starts PostgreSQL, Valkey, web, worker and beat; Ctrl-C stops them
	@exec $(BIN)/python grm/up.py

test: .venv/test-ok ## runs the whole test suite (with lint, types and import contracts) against its own database
	@$(BIN)/python -m pytest -n 4 $(PYTEST_ARGS)

quick: .venv/test-ok ## runs the suite without the tests that kill processes, need a browser or take long
	@$(BIN)/python -m pytest -n 3 -m "not faults and not slow and not browser" $(PYTEST_ARGS)

faults: .venv/test-ok ## injects faults for up to an hour and prints a table of what was found (SEED=n: the same again)
	@$(BIN)/python -m pytest -m faults --long-faults $(if $(SEED),--faults-seed=$(SEED)) $(PYTEST_ARGS)

recounts: .venv/test-ok ## recounts every figure from the event log over many random histories (COUNT=200)
	@GRM_RECOUNTS=$(or $(COUNT),200) $(BIN)/python -m pytest -n 2 tests/integration/test_reconciliation.py $(PYTEST_ARGS)

browsers: .venv/test-ok ## looks at every page in Chromium in every combination of scripts, width, language and keyboard
	@GRM_BROWSER=all $(BIN)/python -m pytest tests/browser $(PYTEST_ARGS)

demo: .venv/ok ## fills a running or stopped system with realistic cases of the last twelve months
	@$(BIN)/python grm/up.py flask demo --cases $(or $(CASES),2000) --seed $(or $(SEED),1)

bench: .venv/test-ok ## runs the benchmarks in bench/ and prints a table
	@$(BIN)/python -m bench

lint: .venv/test-ok ## checks style, types and import contracts only
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: .tools/ok ## resolves pyproject.toml anew into the two lock files
	$(COMPILE) --group tools -o requirements-tools.lock
	$(COMPILE) --group embedded pyproject.toml -o requirements.lock
	$(COMPILE) --group embedded --group test -c requirements.lock pyproject.toml -o requirements-test.lock

clean: ## removes .venv, .tools and caches; var (the data) stays
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# uv lives in a venv of its own, so that the application's venv holds exactly what a lock file names.
.tools/ok: requirements-tools.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "GRM needs Python 3.11 or newer ($$($(PYTHON) --version 2>&1) found): install it, or name one with make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "GRM needs Python's venv module: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up: installing the locked packages (once) ..."
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install -q --require-hashes --only-binary :all: -r requirements-tools.lock || echo "uv could not be installed; going on with pip." >&2
	@touch $@

# The test lock holds everything the run lock holds, so one .venv serves both; once it has the test packages it keeps them.
.venv/ok: .tools/ok requirements.lock
	@if [ -e .venv/test-ok ]; then $(call install,requirements-test.lock); touch .venv/test-ok; else $(call install,requirements.lock); fi
	@touch $@

.venv/test-ok: .tools/ok requirements-test.lock
	@$(call install,requirements-test.lock)
	@touch .venv/ok $@

# uv first. It does not read pip's configuration, so where only pip knows the way to a mirror, pip does the same work.
define install
{ $(UV) venv -q --allow-existing --python .tools/bin/python .venv && \
  $(UV) pip sync -q --require-hashes --python .venv/bin/python $(1); } 2>.tools/uv.log || { \
  echo "uv could not install $(1) (see .tools/uv.log); trying pip, which takes a little longer ..." >&2; \
  .tools/bin/python -m venv --without-pip .venv && \
  .tools/bin/pip --python .venv/bin/python install -q --require-hashes -r $(1); } || { \
  echo "The packages of $(1) could not be installed: no package index can be reached, or it lacks one of them." >&2; exit 1; }
endef
