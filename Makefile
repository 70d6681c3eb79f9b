# Two commands matter: make run (sets up, runs the main job) and make test (sets up, passes every check).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test corpus soak bench lock format clean

run: .venv/ready
	$(BIN)/xianzhi demo

test: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest

# Serves the real pages of ../shared/corpus from loopback, crawls them, and says what was read.
corpus: .venv/ready
	$(BIN)/python -m tests.corpus_portals

# The long trials in full size: kills, fuzzing.
soak: .venv/ready
	XIANZHI_SOAK=1 $(BIN)/pytest -m soak --timeout 1800

bench: .venv/ready
	$(BIN)/python bench/crawl.py --growth
	$(BIN)/python bench/extract.py

# The lock names no registry: it installs from whatever pip is set up with.
lock: .venv/ready
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet -o requirements.txt

format: .venv/ready
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv build *.egg-info
