# make run     the product with a sandbox on this machine (RESET=1 starts afresh, PORT=8000)
# make test    everything that CI runs
# make check   the quick part of it: lint, types, boundaries, migrations
# make setup   the virtual environment alone (VENV=.venv PYTHON=python3)

VENV ?= .venv
PYTHON ?= python3
PORT ?= 8000
# One more than the cores of CI: the soak and the started runs wait more than they work.
WORKERS ?= 3
BROWSERS ?= 2

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# What config/settings.py insists on, where no database is touched.
NO_DATABASE := SECRET_KEY=check KEYS=check:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
	DATABASE_URL=postgres://check@127.0.0.1:1/outreach KEYSTORE_URL=postgres://check@127.0.0.1:1/outreach_keys

.PHONY: run setup test pytest lint types boundaries migrations check audit bench bench-pages bench-send bench-memory bench-parse bench-poll fuzz fuzz-mail fuzz-text hostile office screens mutants soak soak-replies races format lock machine clean
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

# What people click comes by itself, behind the rest: a browser that shares two cores with three busy workers
# waits longer than a person would. With ARGS one of the two may have nothing to run (5).
pytest: setup machine
	@failed=0; \
	$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "not browser" $(ARGS) || failed=$$?; \
	[ "$(if $(ARGS),some)" ] && [ $$failed = 5 ] && failed=0; \
	$(PY) -m pytest -n $(BROWSERS) --dist loadfile -m browser $(ARGS) || { \
		code=$$?; [ "$(if $(ARGS),some)" ] && [ $$code = 5 ] || failed=$$code; }; \
	exit $$failed

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

# All but the sending and the looking for replies, which take a quarter of an hour, and the memory of the
# workers: they have their own targets.
bench: setup
	@for bench in $(filter-out benchmarks/send.py benchmarks/memory.py benchmarks/poll.py,$(wildcard benchmarks/[a-z]*.py)); do \
		$(PY) -m benchmarks.$$(basename $$bench .py) || exit 1; \
	done

# The pages alone; with THREADS=200000 the lists, filters and searches of an inbox with so many conversations.
bench-pages: setup
	$(PY) -m benchmarks.pages $(if $(THREADS),--threads $(THREADS))

# Mails a second, beside a bare loop of the same calls and beside django-post-office.
bench-send: setup machine
	$(PY) -m benchmarks.send $(ARGS)

# Mailboxes looked into in a minute, beside a bare loop of the same calls, and replies stored in a second.
bench-poll: setup machine
	$(PY) -m benchmarks.poll $(ARGS)

# How much of real bounces is understood, beside flufl.bounce. FOLDER= names another labelled collection.
bench-parse: setup
	FOLDER="$(FOLDER)" $(PY) -m benchmarks.parse

# How the workers' memory grows with the mails sent.
bench-memory: setup machine
	$(PY) -m benchmarks.memory $(ARGS)

# Takes away each permission check and each filter by workspace, one at a time, and asks whether the matrix or
# row-level security notices. PLACES= names a part of a path to try only those.
mutants: setup machine
	$(PY) -W ignore -m tests.mutants --workers $(WORKERS) --only "$(PLACES)"

# Requests made up from the API's description, by keys of two workspaces, and mails mutated from the collection of
# bounces; bounded runs are part of the tests.
EXAMPLES ?= 20000
MAILS ?= 50000
fuzz: setup machine fuzz-mail
	FUZZ_EXAMPLES=$(EXAMPLES) $(PY) -m pytest -q -n0 -s tests/api/test_schema.py -k description_and_its_policy

fuzz-mail: setup
	FUZZ_MAILS=$(MAILS) FUZZ_SEED=$(SEED) $(PY) -m pytest -q -n0 -s tests/mailbox/parsing/test_mutations.py

# Texts, names and values made up by chance on their way into a mail, which two parsers read back. A short run is part
# of the tests.
TEXTS ?= 200000
fuzz-text: setup
	FUZZ_TEXTS=$(TEXTS) $(PY) -m pytest -q -n0 -s tests/outreach/test_text_fuzz.py

# Mails of strangers in a real browser: every written attack, and so many made of them by chance. A short run is part
# of the tests.
MUTATIONS ?= 5000
hostile: setup machine
	HOSTILE_MUTATIONS=$(MUTATIONS) $(PY) -m pytest -q -n0 -s tests/outreach/test_original_in_browser.py

# Every page of the demo at two widths and in both themes, into docs/screens; fails where axe finds something.
screens: setup machine
	$(PY) -W ignore -m tests.screens --only "$(PAGES)"

# Our exports in a real LibreOffice, cut at every sign a spreadsheet may cut at: nothing may run as a formula.
CELLS ?= 20000
office: setup
	@command -v soffice >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends libreoffice-calc >/dev/null; } || true
	$(PY) -m tests.office --cells $(CELLS) --seed $(SEED)

# So many mails while processes are killed, PostgreSQL and Redis with them, and the providers lie: what ledger and
# database then say. And stops at random instants of sending, with the time from an opt-out to its effect. Short runs of both are part of the tests.
SENDS ?= 100000
SEED ?= 4
MINUTES ?= 600
soak: setup machine
	$(PY) -W ignore -m tests.soak --sends $(SENDS) --seed $(SEED) --minutes $(MINUTES)

# So many answers while pushes are lost, cursors die, calls fail and workers are killed, private mails in between:
# which is missing, stored twice or in another conversation, and which private mail was read.
REPLIES ?= 100000
DECOYS ?= 10000
soak-replies: setup machine
	$(PY) -W ignore -m tests.soak.replies --replies $(REPLIES) --decoys $(DECOYS) --seed $(SEED) --minutes $(MINUTES)

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
