# Slate. `make run` and `make test` need only Python 3.11+ (with venv) and make.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 5000
BIN := .venv/bin
FLASK := $(BIN)/flask --app wsgi
unexport PYTHONDONTWRITEBYTECODE  # a process that compiles everything anew starts half a second later

.DEFAULT_GOAL := help
.PHONY: help run test check long seed bench lint audit screenshot

help: ## what there is
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 20

run: .venv/run.stamp ## set up, load the demo world, start web and worker (PORT=…)
	@$(FLASK) db upgrade 2>/dev/null || $(FLASK) db upgrade
	@$(FLASK) seed
	@SLATE_SITE=$${SLATE_SITE:-http://localhost:$(PORT)} exec $(FLASK) serve --port $(PORT)

test: .venv/dev.stamp ## every test this machine can run; names what it could not
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/dev.stamp lint ## what CI runs: nothing may be skipped
	@REQUIRE_ALL=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

long: .venv/dev.stamp lint ## the same tests at full numbers
	@REQUIRE_ALL=1 SCALE=long $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/dev.stamp ## style, and what is dangerous to write
	@$(BIN)/ruff check .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive .

audit: .venv/dev.stamp ## what is known against the libraries; fails where nothing could be looked up
	@$(BIN)/python -m tests.advisories

seed: .venv/run.stamp ## load the demo world
	@$(FLASK) db upgrade && $(FLASK) seed

screenshot: .venv/dev.stamp ## take the README's picture anew
	@SCREENSHOTS=1 $(BIN)/python -m pytest tests/stories/test_journey.py -k readme

bench: .venv/dev.stamp ## the benchmarks, with the commit
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.ledger --titles 10000 100000 1000000
	@$(BIN)/python -m bench.words
	@$(BIN)/python -m bench.dealing
	@$(BIN)/python -m bench.storing

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Slate needs Python 3.11 or later as $(PYTHON). Install it, or name yours: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "This Python lacks venv. Install it, on Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	@echo "Installing what Slate needs …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements.txt requirements-dev.txt | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run.stamp
