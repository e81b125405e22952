# Every task of this project. `make` alone lists them. Needs make, a POSIX shell and Python 3.11 or later, nothing else.

# Where the programs of this checkout are; nothing outside it is used or changed.
BIN := .venv/bin
# How many processes `make test` uses.
WORKERS ?= auto
# `all`, or names of the list that `make tools` prints: tests that need these fail instead of being skipped.
REQUIRE ?=
# The board that `make flash` writes.
PORT ?= auto

# A foreign module path could put other people's `config` or `safety` before ours.
unexport PYTHONPATH
unexport PYTHONHOME
export PYTHON

.DEFAULT_GOAL := help
.PHONY: setup run demo test check bench nightly firmware flash tools help

setup: ## make .venv, or bring it up to date (PYTHON=... chooses the interpreter)
	@sh scripts/setup.sh

run: setup ## watch and work a simulated table on this terminal: a first visit, unless you press a key
	@$(BIN)/inversion-table panel --start --state .state

demo: setup ## a first visit in virtual time: seconds, then a summary and a picture
	@$(BIN)/inversion-table session --plan first-visit --fast --state .state

test: setup ## run the tests that this machine can run (REQUIRE=all: fail where a tool is missing)
	@$(BIN)/python -m pytest --quiet -n $(WORKERS) --require "$(REQUIRE)"

check: setup ## format, lint, types and import contracts: what must hold before a change lands
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: setup ## measure speed on this machine and print the table
	@$(BIN)/python scripts/bench.py

nightly: setup ## every test, the long ones too
	@$(BIN)/python -m pytest --nightly -n $(WORKERS) --require "$(REQUIRE)"

firmware: setup ## build the microcontroller's image anew (needs gcc-avr, avr-libc); the shipped one is the same
	@$(BIN)/python scripts/build_firmware.py

flash: setup ## write that image into the board at PORT (PORT=/dev/ttyACM0) and read its version back; needs avrdude
	@$(BIN)/inversion-table flash "$(PORT)"

tools: ## print the line that installs the tools some tests need; installs nothing
	@python=$$(sh scripts/find-python.sh) && "$$python" -m tests.tools

help: ## list these tasks
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
