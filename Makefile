# Each target sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two for each of two cores: many tests wait for an Envoy or a connection most of their time. A process that has run out
# of tests takes some of another's; else the tests of the run, the slowest, would wait for each other in one of them.
JOBS ?= 4
PYTEST = -n $(JOBS) --dist worksteal

.PHONY: help setup test lint types tests proof coverage package demo picture bench soak clean

help:
	@echo "make demo     run the guide from start to finish on a sample file"
	@echo "make test     lint, types, tests, and the wheel in an environment of its own"
	@echo "              T=tests/cli runs that part of the tests alone"
	@echo "make proof    the tests and the slow proofs, ten minutes: long random searches, many clients"
	@echo "              MOM_EXAMPLES=20000 searches longer; 1000 without"
	@echo "              MOM_REQUESTS=100000 sends more through restarts of replicas; 20000 without"
	@echo "make coverage the tests, and which lines and branches of mom they run; fails below the floor"
	@echo "make bench    the figures of docs/benchmarks.md, measured here"
	@echo "make soak     an hour of requests, reloads and rotations; SOAK=1200 for 20 minutes"
	@echo "make picture  the pictures of the README, drawn from runs of the demo and of mom atlas check"
	@echo "make setup    .venv with what all of these need"
	@echo "make lint     ruff; make types: mypy; make tests: pytest; make package: the wheel"
	@echo "make clean    remove .venv and everything that was made here"

setup: $(VENV)/.stamp

$(VENV)/.stamp: pyproject.toml .ci/setup
	@$(PYTHON) .ci/setup $(VENV)
	@touch $@

ifdef T
test: tests
else
test: lint types tests package
endif

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

tests: setup
	$(BIN)/python -m pytest $(PYTEST) $(T)

# Of npm, by its lock file, outside the sources; and of Debian, where that is, Prometheus's own checker without its server.
$(VENV)/.proof: $(VENV)/.stamp tests/proof/package-lock.json
	@$(BIN)/python -m pip install --quiet --group proof
	@$(BIN)/python -m pip wheel --quiet --wheel-dir $(VENV)/wheels '.[atlas]'
	@rm -rf $(VENV)/proof
	@mkdir $(VENV)/proof
	@cp tests/proof/package.json tests/proof/package-lock.json $(VENV)/proof
	@cd $(VENV)/proof && npm ci --silent --no-audit --no-fund
	@cd $(VENV)/proof && { apt-get -qq download prometheus && dpkg-deb -x prometheus_*.deb prometheus && \
	  mv prometheus/usr/bin/promtool . && rm -r prometheus*; } 2>/dev/null || \
	  echo "no promtool of Debian here: its two proofs are skipped"
	@touch $@

# SDKs as their users have them, and a browser: of the versions in the lock files, beside the environment of the tests.
$(VENV)/.sdks: $(VENV)/.stamp tests/sdks/requirements.txt tests/sdks/package-lock.json
	@rm -rf $(VENV)/sdks
	@$(PYTHON) -m venv $(VENV)/sdks
	@$(VENV)/sdks/bin/python -m pip install --quiet --requirement tests/sdks/requirements.txt
	@mkdir $(VENV)/sdks/node
	@cp tests/sdks/package.json tests/sdks/package-lock.json $(VENV)/sdks/node
	@cd $(VENV)/sdks/node && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

proof: setup $(VENV)/.proof $(VENV)/.sdks
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(VENV)/wheels .
	MOM_EXAMPLES=$${MOM_EXAMPLES:-1000} $(BIN)/python -m pytest $(PYTEST) -m 'proof or not proof' $(T)

coverage: setup
	$(BIN)/python .ci/coverage $(PYTEST) $(T)

# The peers are not needed for anything else.
$(VENV)/.bench: $(VENV)/.stamp
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/edit.py
	$(BIN)/python benchmarks/curl.py
	-$(BIN)/python benchmarks/proxy.py
	-$(BIN)/python benchmarks/request.py
	$(BIN)/python benchmarks/scale.py

# An hour of requests, reloads and rotations; less with SOAK=1200, in seconds.
SOAK ?= 3600
soak: setup
	$(BIN)/python benchmarks/soak.py --seconds $(SOAK)

# What gets published, checked as it is published: built, installed without any tool of development, run.
package: setup
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(PYTHON) -m venv --clear $(VENV)/wheel
	$(VENV)/wheel/bin/python -m pip install --quiet dist/*.whl
	$(BIN)/python tests/package/check_wheel.py $(VENV)/wheel/bin

demo: setup
	@$(BIN)/python docs/demo/demo.py .demo

picture: setup
	$(BIN)/python docs/demo/picture.py
	$(BIN)/python docs/demo/check.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .demo .coverage
