# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lock docs clean

demo: $(READY)
	$(BIN)/nightshift dry-run campaigns/fe-co-ni.toml

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,foreign]'
	touch $@

# Renew the versions that installs are held to.
lock:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade --editable '.[dev,foreign]'
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt
	touch $(READY)

clean:
	rm -rf $(VENV) nights build *.egg-info
