# Everything a person runs. Needs Python 3.11 or newer, make and git; the rest is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
CONTRACT := $(addprefix tests/contract/test_provider_,contract.py operations.py faults.py)

.PHONY: run test contract lint prove bench catalogue slips samples screenshots lock clean
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@exec $(BIN)/ppu sandbox

test: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist loadgroup $(TESTS)

# Runs the contract suite alone, and writes its page from how each case went at each provider.
contract: $(VENV)/.dev
	$(BIN)/pytest -n 2 --contract-table docs/providers/contract.md $(CONTRACT)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

# The long forms of proofs that `make test` has a short form of: minutes each.
prove: $(VENV)/.dev
	$(BIN)/pytest -m long -v $(TESTS)

bench: $(VENV)/.dev
	$(BIN)/ppu bench ledger
	$(BIN)/ppu bench purchase
	$(BIN)/ppu bench lookup

# Writes docs/events.md from the event classes.
catalogue: $(VENV)/.run
	$(BIN)/python -m ppu.catalogue docs/events.md

# Writes the approved slips of the scenario meters, and the picture in docs/, anew.
slips: $(VENV)/.dev
	$(BIN)/python -m tests.golden_slips

# Writes the sample of a settlement statement in docs/ anew.
samples: $(VENV)/.dev
	$(BIN)/python -m tests.finance_samples docs/samples

# Takes the pictures of the console in docs/ anew; needs Chromium and ChromeDriver.
screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.screenshots docs/images/console

# Refreshes the pinned files; the only target that needs uv.
lock:
	$(UV_COMPILE) -o lock/run.txt
	$(UV_COMPILE) --extra dev -o lock/dev.txt

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/.run: lock/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r lock/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run lock/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r lock/dev.txt
	@touch $@
