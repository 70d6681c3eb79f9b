# Two commands matter: make run (sets up, runs the main job) and make test (sets up, passes every check).
PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet
DEBIAN := chromium fonts-noto-cjk jq sqlite3

.PHONY: run test zoo corpus soak bench scale picture debian lock format clean

run: .venv/ready
	$(BIN)/xianzhi demo

# One process more than there are cores: half of the tests wait for crawls.
test: .venv/test-ready .venv/replay/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest --numprocesses $$(($$(nproc) + 1)) --dist worksteal

# Crawls the sample portal of each CMS family twice, and prints what was found and what it cost.
zoo: .venv/ready
	$(BIN)/python -m tests.zoo_table

# Serves the real pages of ../shared/corpus from loopback, crawls them, and says what was read.
corpus: .venv/ready
	$(BIN)/python -m tests.corpus_portals

# The long trials in full size: kills, fuzzing.
soak: .venv/test-ready .venv/replay/ready
	XIANZHI_SOAK=1 $(BIN)/pytest -m soak --timeout 1800

bench: .venv/ready
	$(BIN)/python bench/crawl.py --growth
	$(BIN)/python bench/extract.py
	$(BIN)/python bench/search.py
	$(BIN)/python bench/export.py
	$(BIN)/python bench/site.py
	$(BIN)/python bench/pace.py
	$(BIN)/python bench/verify.py

# A crawl on several hosts: workers killed, store and PostgreSQL away, 200 portals on two workers, growth (an hour).
scale: .venv/test-ready .venv/replay/ready
	$(BIN)/python -m bench.scale kills
	$(BIN)/python -m bench.scale away
	$(BIN)/python bench/workers.py
	$(BIN)/python bench/merge.py
	$(BIN)/python bench/sizing.py

# The README's picture of the site, docs/site.png. Needs Chromium (make debian).
picture: .venv/ready
	$(BIN)/python docs/picture.py

# What the tests need of Debian: installs what is missing, as root or through sudo.
debian:
	@missing="$$(for name in $(DEBIAN); do dpkg-query --show --showformat '$${Status}' $$name 2>/dev/null \
		| grep --quiet 'ok installed' || echo $$name; done)"; \
	if [ -z "$$missing" ]; then echo "already installed: $(DEBIAN)"; exit 0; fi; \
	sudo="$$([ "$$(id -u)" = 0 ] || echo sudo)"; \
	echo "installing" $$missing; \
	$$sudo apt-get update --quiet --quiet && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends $$missing

# The locks name no registry: they install from whatever pip is set up with.
# requirements-test.txt is what the tests need beyond requirements.txt; requirements-replay.txt is an environment apart.
lock: .venv/ready
	$(COMPILE) pyproject.toml --group dev -o requirements.txt
	$(COMPILE) pyproject.toml --extra render --extra distributed --group queue -c requirements.txt -o requirements-test.txt \
		$$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.txt)
	$(COMPILE) --group replay --no-emit-package brotlipy -o requirements-replay.txt

format: .venv/ready
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/test-ready: .venv/ready requirements-test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-test.txt
	touch $@

# What replays, validates and stores our files in the tests, apart from what made them.
.venv/replay/ready: .venv/ready requirements-replay.txt
	$(PYTHON) -m venv .venv/replay
	.venv/replay/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements-replay.txt
	touch $@

clean:
	rm -rf .venv build *.egg-info
