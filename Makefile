# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test chaos check docs pictures lock clean

demo: $(VENV)/.ready
	$(BIN)/nightshift dry-run campaigns/fe-co-ni.toml

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest

# Nights that are killed at their worst moments; minutes of them.
chaos: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -m chaos

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Rewrite the reference pages that come from the code, and build the site; a warning is an error.
docs: $(VENV)/.ready-docs
	$(BIN)/python docs/generate_reference.py
	$(BIN)/python docs/generate_states.py
	$(BIN)/python docs/generate_commands.py
	$(BIN)/python docs/generate_entries.py
	$(BIN)/python docs/generate_console_api.py
	$(BIN)/python docs/generate_instruments.py
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -b html docs build/docs
	@echo "The site is in build/docs/index.html"

# Take the pictures of the documentation anew, from nights of their own; minutes, and needs Chromium.
pictures: $(VENV)/.ready-dev
	$(BIN)/python docs/generate_terminal_pictures.py
	$(BIN)/python -m docs.generate_console_pictures
	$(BIN)/python -m docs.generate_report_pictures build/nights

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(PIP) --editable '.[dev,foreign,parquet]'
	touch $@

$(VENV)/.ready-docs: $(VENV)/.ready
	$(PIP) --editable '.[docs]'
	touch $@

# Renew the versions that installs are held to.
lock:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade --editable '.[dev,foreign,parquet,docs]'
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt
	touch $(VENV)/.ready $(VENV)/.ready-dev $(VENV)/.ready-docs

clean:
	rm -rf $(VENV) nights build *.egg-info
