# Forecarbon: `make help` lists what can be asked for. Needs make and Python 3.11 or 3.12, nothing else.
# `make setup` writes .venv and nothing outside this folder: caches and settings of the tools live in .venv/cache.

PLAN ?= training/plans/annual.toml
BIN := .venv/bin
HERE := $(CURDIR)
serve_port = $(or $(PORT),3000)
mlflow_port = $(or $(PORT),5000)
python_given = $(if $(filter undefined,$(origin PYTHON)),,$(PYTHON))

# Two busy threads of OpenMP on two cores wait for one another; one thread a fit does not.
export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY := passive
export OPENBLAS_NUM_THREADS := 1
export UV_CACHE_DIR := $(HERE)/.venv/cache/uv
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
export MPLCONFIGDIR := $(HERE)/.venv/cache/matplotlib
export BENTOML_HOME := $(HERE)/.venv/cache/bentoml
export BENTOML_DO_NOT_TRACK := True
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_CACHE_DIR := 1

.DEFAULT_GOAL := help
.PHONY: help run setup test lint audit retrain serve mlflow check-full clean
.NOTPARALLEL:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: setup ## set up, retrain on the embedded figures, then serve (PORT=3000)
	@$(BIN)/forecarbon retrain --plan "$(PLAN)"
	@$(BIN)/forecarbon serve --port $(serve_port)

retrain: setup ## backtest, judge and, where the gate says so, promote (PLAN=training/plans/annual.toml)
	@$(BIN)/forecarbon retrain --plan "$(PLAN)"

serve: setup ## answer requests with the champion (PORT=3000)
	@$(BIN)/forecarbon serve --port $(serve_port)

mlflow: setup ## compare the retrains in MLflow's pages (PORT=5000)
	@$(BIN)/forecarbon mlflow --port $(mlflow_port)

lint: setup ## ruff, mypy --strict, floors and fences, dead code, packages against lock and licences
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict
	@$(BIN)/lint-imports --no-logo --cache-dir .venv/cache/import-linter
	@$(BIN)/vulture
	@$(BIN)/python docs/audit.py

audit: setup ## known weaknesses of the locked packages, asked of pip-audit where the network allows
	@$(BIN)/python docs/audit.py --ask

test: setup lint ## every check and every test
	@$(BIN)/python -m tests.pages.browser
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

check-full: ## `make test` in a fresh clone and a new virtual environment, on Python 3.11 and on 3.12
	@set -e; \
	for version in 3.11 3.12; do \
	  python="$$(PYTHON= $(MAKE) --no-print-directory -s python-named VERSION=$$version)"; \
	  rm -rf "store/check/$$version"; mkdir -p store/check; \
	  git clone --quiet . "store/check/$$version"; \
	  echo "== Python $$version: store/check/$$version"; \
	  $(MAKE) --no-print-directory -C "store/check/$$version" test PYTHON="$$python"; \
	  rm -rf "store/check/$$version"; \
	done

clean: ## remove .venv, caches and build leftovers (store/ is kept: it holds your models)
	@rm -rf .venv build forecarbon.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './store/*' -exec rm -rf {} +

# A name on PATH may be a stub that fails when run, so a candidate counts only once it has run.
# It must bring venv and ensurepip, which some distributions package apart.
define find_python
  found=; tried=; \
  for candidate in $(1); do \
    if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not $(2))' >/dev/null 2>&1; then \
      found="$$(command -v "$$candidate")"; break; \
    fi; \
    tried="$$tried $$candidate"; \
  done; \
  if [ -z "$$found" ]; then \
    echo "make: found no Python $(3) with venv and ensurepip (tried:$$tried)." >&2; \
    echo "      Install one, or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.12" >&2; \
    exit 1; \
  fi
endef

.PHONY: python-named
python-named:
	@$(call find_python,python$(VERSION) "$$HOME"/.pyenv/versions/$(VERSION).*/bin/python python3 python,(sys.version_info[:2] == tuple(map(int, "$(VERSION)".split(".")))),$(VERSION)); \
	"$$found" -c 'import sys; print(sys.executable)'

# .venv is made anew when it does not run, has moved, or another version is asked for by PYTHON=; otherwise it is
# brought up to date when the lock or the project file has changed.
setup: ## make .venv from requirements.lock (again only when something it depends on has changed)
	@set -e; \
	key="$$(cat requirements.lock pyproject.toml | cksum)"; \
	version='import sys; print(sys.version)'; \
	fresh=; \
	if [ "$$($(BIN)/python -c 'print(1)' 2>/dev/null)" != 1 ] || [ "$$(cat .venv/place 2>/dev/null)" != "$$(pwd)" ]; then \
	  fresh=yes; \
	elif [ -n "$(python_given)" ] && [ "$$($(BIN)/python -c "$$version")" != "$$("$(python_given)" -c "$$version" 2>&1)" ]; then \
	  fresh=yes; \
	fi; \
	if [ -z "$$fresh" ] && [ "$$(cat .venv/ready 2>/dev/null)" = "$$key" ]; then exit 0; fi; \
	if [ -n "$$fresh" ]; then \
	  $(call find_python,$(if $(python_given),"$(python_given)",python3.12 python3.11 python3 python),((3, 11) <= sys.version_info < (3, 13)),3.11 or 3.12); \
	  echo "setup: $$("$$found" --version) -> .venv"; \
	  "$$found" -m venv --clear .venv; \
	  pwd > .venv/place; \
	fi; \
	rm -f .venv/ready; mkdir -p .venv/cache; \
	sed -n '/^uv==/,/^[^ ]/ { /^uv==/p; /^ /p; }' requirements.lock > .venv/cache/uv.lock; \
	echo "setup: installing the packages of requirements.lock"; \
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r .venv/cache/uv.lock; \
	if ! $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock; then \
	  echo "setup: uv could not install them; trying pip, which reads your pip settings"; \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock; \
	fi; \
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .; \
	printf '%s' "$$key" > .venv/ready; \
	echo "setup: done"
