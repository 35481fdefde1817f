# Everything a fresh machine needs is made here; Python 3.11 or newer and make are enough.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help run test test-both test-fast coverage mutants machines soak check fix bench icons pictures admin-pictures lock clean
.DEFAULT_GOAL := help

help: ## What there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name words; do \
		printf '  make %-15s %s\n' "$$name" "$$words"; done

run: .venv/.for-run ## The portal with demo people on http://127.0.0.1:5000
	@exec $(BIN)/mysapk demo --serve

test: .venv/.for-development ## All tests
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

test-both: .venv/.for-development ## All tests, and each case of a walk on both databases
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --every-case-on-both

test-fast: .venv/.for-development ## Unit tests and the first case of each flow test, on SQLite
	HYPOTHESIS_PROFILE=few $(BIN)/pytest -n 2 --dist loadfile $(FAST)

coverage: .venv/.for-development ## Lines and branches that the fast tests do not reach
	$(BIN)/pytest -n 3 --dist loadfile $(FAST) --cov --cov-report=term:skip-covered --cov-report=html

mutants: .venv/.for-development ## Change rules one at a time and see whether a test fails (long; docs/mutants.md)
	HYPOTHESIS_PROFILE=few $(BIN)/mutmut run $(MUTANTS)
	$(BIN)/mutmut results

soak: .venv/.for-development ## A cluster under load whose parts are killed, for ten minutes, into bench/RESULTS.md
	$(BIN)/python -m bench soak

machines: .venv/.for-development ## The state machines of test_*_machine.py, much longer than in `make test`
	HYPOTHESIS_PROFILE=machines $(BIN)/pytest $(shell find tests -name 'test_*_machine.py')

check: .venv/.for-development ## Lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --quiet

fix: .venv/.for-development ## What ruff can mend by itself, and the format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.for-development ## What the portal costs and bears on this machine, into bench/RESULTS.md
	$(BIN)/python -m bench

# What is checked in is made anew by these three, after a change of a drawing or of the look of a page. They need chromium.
icons: .venv/.for-development ## Icons of the app, from static/img/app
	$(BIN)/python -m tests.browser.icons

pictures: .venv/.for-development ## Pictures of the help page and the install dialog
	$(BIN)/python -m tests.browser.app_pictures

admin-pictures: .venv/.for-development ## Pictures of docs/panduan-admin.md
	$(BIN)/python -m tests.browser.desk_pictures docs/img/admin

lock: ## Lock the dependencies anew, after a change of them in pyproject.toml (needs uv)
	uv pip compile $(LOCK) pyproject.toml --output-file requirements.txt
	uv pip compile $(LOCK) pyproject.toml --extra dev --output-file requirements-dev.txt

# Left out is what takes long: attacks, the trail, tables of many people, photos, text of a megabyte, hashes of others.
FAST := tests/unit tests/flows --first-cases --ignore=tests/flows/attacks --ignore=tests/flows/trail \
	--ignore-glob='*_scale.py' --ignore-glob='*_photo.py' --ignore-glob='*_every_kind_shown.py' \
	--ignore-glob='*_attack*.py' --ignore-glob='*_masks.py' --ignore-glob='*_old_hashes.py' --ignore-glob='*_door.py'
# Which to look at, as `mutmut run` takes them: make mutants MUTANTS='app.domain.nip*'. None are all.
MUTANTS :=

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

.venv/.for-run: .venv/bin/pip requirements.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.for-development: .venv/.for-run requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (set PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv .venv

clean: ## Remove what was made here: .venv, demo, reports
	rm -rf .venv instance mutants htmlcov .coverage
