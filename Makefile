# make run     the product with a sandbox on this machine (RESET=1 starts afresh, PORT=8000)
# make test    everything that CI runs
# make check   the quick part of it: lint, types, boundaries, migrations
# make setup   the virtual environment alone (VENV=.venv PYTHON=python3)

VENV ?= .venv
PYTHON ?= python3
PORT ?= 8000
# One more than the cores of CI: the soak and the stories in a browser wait more than they work.
WORKERS ?= 3

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# What config/settings.py insists on, where no database is touched.
NO_DATABASE := SECRET_KEY=check KEYS=check:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
	DATABASE_URL=postgres://check@127.0.0.1:1/outreach KEYSTORE_URL=postgres://check@127.0.0.1:1/outreach_keys

.PHONY: run setup test pytest lint types boundaries migrations check audit bench bench-send bench-memory fuzz mutants soak races format lock machine clean
.DEFAULT_GOAL := run

run: $(VENV)/.local-installed
	@exec $(PY) -m config.run --port $(PORT) $(if $(filter-out 0,$(RESET)),--reset)

setup: $(VENV)/.dev-installed

$(PY):
	@command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) is missing. On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version)." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making the virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.local-installed: requirements/local.txt | $(PY)
	@echo "Installing the locked packages …"
	@$(PIP) install --require-hashes -r requirements/local.txt
	@touch $@

$(VENV)/.dev-installed: requirements/dev.txt $(VENV)/.local-installed
	@echo "Installing the locked packages of the checks …"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

test: lint types boundaries migrations pytest

# A real Redis and a real browser are part of the tests: what is missing is installed, or named loudly.
# docker-compose only reads our file, and pgbouncer stands before the database in a few tests; where they may not
# be installed, pytest's summary names the tests left out.
machine:
	@missing=""; \
	[ -n "$$REDIS_URL" ] || command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		command -v docker-compose >/dev/null || missing="$$missing docker-compose"; \
		command -v pgbouncer >/dev/null || missing="$$missing pgbouncer"; \
		[ -z "$$missing" ] && exit 0; \
		echo "Installing$$missing …"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	elif [ -n "$$missing" ]; then \
		echo "The tests need packages that are missing here. As root: apt-get install$$missing" >&2; exit 1; \
	fi

pytest: setup machine
	$(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m bandit --quiet -ll --recursive --configfile pyproject.toml .

# Known holes of what is locked (threats T38). The data come from outside: where they cannot be reached, nothing
# was looked up, which is said aloud and is not the same as nothing found.
audit: setup
	@for name in local dev; do \
		said=$$($(PY) -m pip_audit --require-hashes --disable-pip --progress-spinner off --timeout 20 \
			-r requirements/$$name.txt 2>&1); code=$$?; \
		if echo "$$said" | grep -qE "could not be audited|ConnectionError|ServiceError|Max retries|timed out|HTTPError"; then \
			echo "make audit: NOT checked: the data of known holes cannot be reached from here ($$(echo "$$said" | \
				grep -c "could not be audited") packages of requirements/$$name.txt had no answer)." >&2; exit 3; \
		fi; \
		echo "$$said"; [ $$code = 0 ] || exit $$code; \
	done

types: setup
	$(PY) -m mypy .

boundaries: setup
	$(VENV)/bin/lint-imports

migrations: setup
	@$(NO_DATABASE) $(PY) -W ignore manage.py makemigrations --check --dry-run

check: lint types boundaries migrations

# All but the sending, which takes a quarter of an hour, and the memory of the workers: they have their own targets.
bench: setup
	@for bench in $(filter-out benchmarks/send.py benchmarks/memory.py,$(wildcard benchmarks/[a-z]*.py)); do \
		$(PY) -m benchmarks.$$(basename $$bench .py) || exit 1; \
	done

# Mails a second, beside a bare loop of the same calls and beside django-post-office.
bench-send: setup machine
	$(PY) -m benchmarks.send $(ARGS)

# How the workers' memory grows with the mails sent.
bench-memory: setup machine
	$(PY) -m benchmarks.memory $(ARGS)

# Takes away each permission check and each filter by workspace, one at a time, and asks whether the matrix or
# row-level security notices. PLACES= names a part of a path to try only those.
mutants: setup machine
	$(PY) -W ignore -m tests.mutants --workers $(WORKERS) --only "$(PLACES)"

# Requests made up from the API's description, by keys of two workspaces; a bounded run is part of the tests.
EXAMPLES ?= 20000
fuzz: setup machine
	FUZZ_EXAMPLES=$(EXAMPLES) $(PY) -m pytest -q -n0 -s tests/api/test_schema.py -k description_and_its_policy

# So many mails while processes are killed, PostgreSQL and Redis with them, and the providers lie: what ledger and
# database then say. And stops at random instants of sending, with the time from an opt-out to its effect. Short runs of both are part of the tests.
SENDS ?= 100000
SEED ?= 4
MINUTES ?= 600
soak: setup machine
	$(PY) -W ignore -m tests.soak --sends $(SENDS) --seed $(SEED) --minutes $(MINUTES)

REVOKES ?= 1000
OPT_OUTS ?= 10000
races: setup machine
	$(PY) -W ignore -m tests.soak.races --revokes $(REVOKES) --opt-outs $(OPT_OUTS) --seed $(SEED)

format: setup
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# No index, host or address may stand in a lock file; tests/config/test_locks.py holds that.
lock: | $(PY)
	@[ -x $(VENV)/bin/uv ] || $(PIP) install uv
	@for name in base local dev; do \
		$(VENV)/bin/uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
			--no-emit-index-url --generate-hashes --quiet \
			$$(for below in base local; do [ $$below = $$name ] && break; echo "-c requirements/$$below.txt"; done) \
			-o requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

clean:
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
