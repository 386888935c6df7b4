# Each command sets up what it needs: `make train`, `make explore`, `make test`.
# Another Python has an environment of its own: `make test PYTHON=python3.13`, in .venv-3.13.
VENV := .venv$(if $(PYTHON),-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'))
BIN := $(VENV)/bin
# By its path, so that `import tfgen` finds the package even beside a folder called tfgen.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt \
	--config-settings editable_mode=compat -e
VERSIONS := 3.10 3.11 3.12 3.13

.PHONY: train explore test gpu slow faults lint docs docs-serve pythons clean

train: $(VENV)/.installed
	@$(BIN)/python -m training.train vae_fashion

explore: $(VENV)/.installed
	@$(BIN)/python -m tfgen serve

test: $(VENV)/.tools
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# On a machine with a GPU: what computes there, in some minutes. Processes share its memory.
gpu: $(VENV)/.tools
	@TF_FORCE_GPU_ALLOW_GROWTH=true $(BIN)/python -m pytest -m "gpu and not slow" --numprocesses 8

slow: $(VENV)/.tools
	@$(BIN)/python -m pytest -m slow --numprocesses 2 --dist loadfile

faults: $(VENV)/.installed
	@$(BIN)/python -m training.faults

lint: $(VENV)/.tools
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# The documentation's site, into site/: a broken link or a missing name is an error.
docs: $(VENV)/.docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Open site/index.html"

docs-serve: $(VENV)/.docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

# The tests with every Python that is here, one after the other; before a release, all should be.
pythons:
	@failed=; for version in $(VERSIONS); do \
		if ! python$$version -c '' 2>/dev/null; then echo "Not tested, since not here: python$$version"; \
		elif $(MAKE) test PYTHON=python$$version; then echo "Passed: python$$version"; \
		else failed="$$failed python$$version"; fi; \
	done; [ -z "$$failed" ] || { echo "Failed:$$failed"; exit 1; }

# The library, what trains with it, and the server; then what only tests need.
$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	@$(or $(PYTHON),python3) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 13) else \
	"tfgen needs Python 3.10 to 3.13, found %d.%d. Name another: make PYTHON=python3.12" % v)'
	@echo "Installing TensorFlow and the rest into $(VENV): once, some minutes and 3 GB of disk."
	@$(or $(PYTHON),python3) -m venv $(VENV)
	@$(INSTALL) '.[serve]'
	@touch $@

$(VENV)/.tools: $(VENV)/.installed
	@echo "Installing the tests' tools into $(VENV): once."
	@$(INSTALL) '.[test]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	@echo "Installing what builds the documentation into $(VENV): once."
	@$(INSTALL) '.[docs]'
	@touch $@

clean:
	rm -rf .venv .venv-* runs site
