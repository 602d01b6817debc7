# Each target makes or refreshes .venv by itself; the second call starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
EDITION ?= student
CLASS ?= my-class
WORKERS := -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help run lab book app marking test test-all check lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml requirements.lock kdsharp/island/npm/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "kdsharp needs Python 3.11 or later, found $$($(PYTHON) --version); call: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e ".[course,book,export,sweep,marking,video,heic,test]"
	$(BIN)/kdsharp book --fetch || echo "the book's formulas will come from a CDN"
	@touch $@

run: $(STAMP) ## run every lesson, show what each measured, build the book from them
	$(BIN)/kdsharp run
	$(BIN)/kdsharp book --no-serve
	@echo "make book serves it to your browser"

lab: $(STAMP) ## open JupyterLab in your own copy of the lessons (EDITION=instructor: the lessons with their solutions)
	$(BIN)/kdsharp lab --edition $(EDITION)

book: $(STAMP) ## build the book from the executed lessons and serve it to your browser (SERVE=no: only build it; SOLUTIONS=no: without solutions; PDF=yes: print it)
	$(BIN)/kdsharp book $(if $(filter no,$(SERVE)),--no-serve) $(if $(filter no,$(SOLUTIONS)),--no-solutions) $(if $(filter yes,$(PDF)),--pdf)

app: $(STAMP) ## all explorers on one page for a lecture hall: f full screen, n and p for the next and the one before
	$(BIN)/kdsharp app

marking: $(STAMP) ## open Formgrader on a class's folder, to mark by hand (CLASS=my-class)
	$(BIN)/kdsharp labs open --class $(CLASS)

test: $(STAMP) ## prove every kind of thing once: units, lessons, book, browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not alone and not long" $(WORKERS)
	$(BIN)/python -m pytest -m alone

test-all: $(STAMP) ## prove all of it: every lesson, every page, every kind of input
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not alone" $(WORKERS)
	$(BIN)/python -m pytest -m alone

check: $(STAMP) ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: ## renew requirements.lock from a fresh environment
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet ".[course,book,export,sweep,marking,video,heic,test]"
	sed -n '/^#/p' requirements.lock > build/lock/header
	build/lock/bin/python -m pip freeze --all --exclude pip --exclude kdsharp | sed 's/+[a-z0-9]*$$//' | grep -Ev '^(nvidia|triton|cuda)' > build/lock/pins
	cat build/lock/header build/lock/pins > requirements.lock

clean: ## remove everything that a run made
	rm -rf build .venv
