# The commands that a person types. Each makes what it needs; none asks a question.

PYTHON = .venv/bin/python
# Test processes side by side.
WORKERS ?= 2

.PHONY: help setup dev run test lint format messages faults fuzz bench screenshots audit lock

help:
	@echo "make setup   make the environment in .venv, and nothing else"
	@echo "make run     start the portal with demo data (PORT chooses the port)"
	@echo "make test    all tests, on SQLite and on PostgreSQL"
	@echo "make lint    style, types and deployment checks"
	@echo "make format  put code and templates in the house form"
	@echo "make messages collects the texts to translate and compiles the catalogues"
	@echo "make faults  kill the portal at every step it can reach, for up to an hour"
	@echo "make fuzz    send 20,000 odd requests; FUZZ_SEED chooses which"
	@echo "make bench   measure the promised figures"
	@echo "make screenshots takes the pictures of the documentation"
	@echo "make audit   look for known weaknesses in what is installed (needs a network)"
	@echo "make lock    write the lock files again from pyproject.toml"

setup:
	@deploy/setup.sh

dev:
	@deploy/setup.sh dev

run: setup
	@exec deploy/run.sh

test: dev
	@tests/services/install.sh
	$(PYTHON) -m pytest -n $(WORKERS)
	$(PYTHON) -m pytest -n $(WORKERS) -p tests.services.postgresql -m "not browser"

lint: dev
	@deploy/lint.sh

format: dev
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .
	$(PYTHON) -m djhtml portal upload admin_ext

messages: dev
	@tests/services/install.sh
	$(PYTHON) -m tests.messages

faults: dev
	@tests/services/install.sh
	$(PYTHON) -m tests.faults --full --seconds 1500
	$(PYTHON) -m tests.faults --full --seconds 1100 --postgresql
	$(PYTHON) -m tests.faults contended --seconds 700

fuzz: dev
	FUZZ_REQUESTS=20000 $(PYTHON) -m pytest -q tests/upload/test_fuzz.py

bench: dev
	$(PYTHON) -m tests.bench

screenshots: dev
	$(PYTHON) -m tests.screenshots

audit: dev
	$(PYTHON) -m pip_audit --require-hashes --disable-pip -r requirements.lock

lock:
	@deploy/lock.sh
