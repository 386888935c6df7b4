# Two commands set everything up by themselves: `make train` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: train test slow faults lint clean

train: $(VENV)/.installed
	@$(BIN)/python -m training.train vae_fashion

test: $(VENV)/.installed
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

slow: $(VENV)/.installed
	@$(BIN)/python -m pytest -m slow

faults: $(VENV)/.installed
	@$(BIN)/python -m training.faults

lint: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 13) else \
	"tfgen needs Python 3.10 to 3.13, found %d.%d. Name another: make PYTHON=python3.12" % v)'
	@echo "Installing TensorFlow and the rest into $(VENV): once, some minutes and 3 GB of disk."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) runs
