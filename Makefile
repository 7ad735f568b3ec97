# Two commands do all the set-up on a fresh machine: `make demo` and `make test`. They need git, make and Python >= 3.11 with venv.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
NOT_EVERYWHERE := shared or browser or promtool or cluster or notebook or compiled or nightly

.PHONY: demo test test-all test-nightly bench bench-quick lint types app lock clean

demo: $(STAMP)-core
	$(BIN)/seatrial demo

test: $(STAMP)-dev
	$(BIN)/pytest -q -n auto -m "not ($(NOT_EVERYWHERE))"
	@echo "Not selected here (make test-all, make test-nightly): tests marked $(NOT_EVERYWHERE)"

# The rest: needs the shared files beside the checkout, Chromium, promtool and a kind cluster; installs what it can.
test-all: $(STAMP)-all
	sh tests/need_chromium.sh
	sh tests/need_promtool.sh
	$(BIN)/pytest -q -n auto --dist loadfile -m "(shared or browser or notebook or compiled or promtool) and not (cluster or nightly)"
	$(BIN)/pytest -q --durations 10 -m "cluster and not nightly"

test-nightly: $(STAMP)-all
	$(BIN)/pytest -q -m nightly

bench: $(STAMP)-all
	$(BIN)/python -m tests.bench

bench-quick: $(STAMP)-all
	$(BIN)/python -m tests.bench --quick

lint: $(STAMP)-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)-dev
	$(BIN)/mypy

app: $(STAMP)-all
	$(BIN)/streamlit run app.py --server.address 127.0.0.1 --browser.gatherUsageStats false

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Seatrial needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv

$(STAMP)-core: .venv/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check -c requirements.lock -e .
	@touch $@

$(STAMP)-dev: .venv/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check -c requirements.lock -e '.[dev,app,real]'
	@touch $@ $(STAMP)-core

$(STAMP)-all: .venv/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check -c requirements.lock -e '.[dev,app,learn,fast,parquet,browser,real]'
	@touch $@ $(STAMP)-dev $(STAMP)-core

# Pins of everything that is installed; written from a fresh environment.
lock:
	rm -rf .venv && $(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check -e '.[dev,app,learn,fast,parquet,browser,real]'
	$(BIN)/pip freeze --exclude-editable > requirements.lock

clean:
	rm -rf .venv out report.html bench.json
