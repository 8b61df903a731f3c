# `make demo` trains a GAN on real data; `make test` proves that everything works. Both install what they need in .venv.
PYTHON ?= python3
VENV ?= .venv
export PIP_CONSTRAINT = $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test test-latest check docs site mutants clean

demo: $(VENV)/installed
	$(VENV)/bin/zerosum train digits --minutes 2

test: $(VENV)/installed-test
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist worksteal

# The tests with the newest versions of everything, in an environment of its own: what will break is noticed before users do.
test-latest:
	$(PYTHON) -m venv --clear .latest
	env -u PIP_CONSTRAINT .latest/bin/python -m pip install -q -e '.[test]'
	.latest/bin/python -m pip list --format=freeze | grep -i -E '^(torch|numpy|pillow|pydantic|safetensors|scikit-learn)='
	OMP_NUM_THREADS=1 .latest/bin/python -m pytest -n auto --dist worksteal

check: $(VENV)/installed-test
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python docs/help.py --check
	$(VENV)/bin/python docs/recipes.py --check
	$(VENV)/bin/python docs/tricks.py --check
	$(VENV)/bin/python docs/records.py --check
	$(VENV)/bin/python docs/pages.py --check
	$(VENV)/bin/python docs/rooms.py --check

docs: $(VENV)/installed-test
	$(VENV)/bin/python docs/help.py
	$(VENV)/bin/python docs/recipes.py
	$(VENV)/bin/python docs/tricks.py
	$(VENV)/bin/python docs/records.py
	$(VENV)/bin/python docs/pages.py
	$(VENV)/bin/python docs/rooms.py

# The pages, notebooks and docstrings as a site, in site/; a link that leads nowhere is an error.
site: $(VENV)/installed-site
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

mutants: $(VENV)/installed-test
	$(VENV)/bin/python -m tests.mutants.run $(MUTANTS)

clean:
	rm -rf $(VENV) site

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zerosum needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install -q -e .
	touch $@

$(VENV)/installed-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install -q -e '.[test]'
	touch $@

$(VENV)/installed-site: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install -q -e '.[site]'
	touch $@
