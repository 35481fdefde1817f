# Everything a fresh machine needs is made here; Python 3.11 or newer and make are enough.
PYTHON ?= python3
BIN := .venv/bin
VENDOR := $(shell find static/vendor -type f ! -name '*.gz' ! -name '*.br')

.PHONY: run test soak check bench icons pictures admin-pictures lock clean

run: .venv/.for-run
	@exec $(BIN)/mysapk demo --serve

test: .venv/.for-development
	$(BIN)/pytest -n 3 --dist loadfile

# The state machines of test_*_machine.py, for much longer than in `make test`.
soak: .venv/.for-development
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest $(shell find tests -name 'test_*_machine.py')

check: .venv/.for-development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --quiet
	cd static/vendor && sha256sum --check --quiet SHA256SUMS

bench: .venv/.for-development
	$(BIN)/python -m bench

# After a change of the drawings in static/img/app, or of the look of a page: what is checked in is made anew. Needs chromium.
icons: .venv/.for-development
	$(BIN)/python -m tests.browser.icons

pictures: .venv/.for-development
	$(BIN)/python -m tests.browser.app_pictures

# Those of docs/panduan-admin.md.
admin-pictures: .venv/.for-development
	$(BIN)/python -m tests.browser.desk_pictures docs/img/admin

# After a change of the dependencies in pyproject.toml; needs uv.
lock:
	uv pip compile $(LOCK) pyproject.toml --output-file requirements.txt
	uv pip compile $(LOCK) pyproject.toml --extra dev --output-file requirements-dev.txt

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

.venv/.for-run: .venv/bin/pip requirements.txt pyproject.toml $(VENDOR)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m whitenoise.compress --quiet static/vendor
	@touch $@

.venv/.for-development: .venv/.for-run requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (set PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv instance
	find static -name '*.gz' -delete -o -name '*.br' -delete
