# Needs nothing but make and a Python ≥ 3.11. Every target makes .venv itself and reuses it.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install --no-warn-script-location

.PHONY: demo test lint run format clean
.DELETE_ON_ERROR:

demo: $(VENV)/.core
	$(BIN)/onmodel demo --out demo-out

# Files are shared out over the cores; the tests of one file stay together with what they share.
test: $(VENV)/.dev $(VENV)/.system
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/basedpyright

run: $(VENV)/.core
	$(BIN)/onmodel run

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo-out .pytest_cache .ruff_cache

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "onmodel needs Python 3.11 or newer with venv (Debian: apt install python3-venv)."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The light core, as users get it: ranges from pyproject.toml, no torch.
$(VENV)/.core: $(VENV)/.made pyproject.toml
	$(PIP) -e .
	@touch $@

# Readers that are not ours: a browser for the web reader, epubcheck for the EPUB, poppler for the
# PDF; and fonts for the writing systems that are too large to bring along. Installed when they are
# missing, this is Debian and we are root; else the tests that need them say so and skip.
SYSTEM_COMMANDS := chromium epubcheck
SYSTEM_PACKAGES := fonts-noto-cjk fonts-noto-core poppler-utils
$(VENV)/.system: $(VENV)/.made
	@missing=""; for p in $(SYSTEM_COMMANDS); do command -v $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	for p in $(SYSTEM_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null || \
			echo "could not install:$$missing; the tests that need them are skipped"; \
	elif [ -n "$$missing" ]; then echo "not installed:$$missing; the tests that need them are skipped"; fi
	@touch $@

# What the tests need, at the versions that they were written against: the engines' libraries and
# the training's too, because they are tested with small models that the tests make.
$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) -e '.[dev,gpu,train,remote,video,faces,safety]' -c constraints.txt
	$(PIP) --no-deps comicbox -c constraints.txt  # only for the ComicInfo schema in it
	@touch $@ $(VENV)/.core
