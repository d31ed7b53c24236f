# The door: every command a person needs. CMake does the work.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := build

BUILD ?= build
CMAKE_ARGS ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PYTHON := /usr/bin/python3
FUZZ_SECONDS ?= 20

CONFIGURE = cmake -G Ninja -S . $(CMAKE_ARGS)
TEST = $(PYTHON) tools/test_summary.py --jobs $(JOBS)

.PHONY: help
help: ## say what each command does
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

.PHONY: setup
setup: ## install Debian packages, fetch Mbed TLS (all groups)
	@tools/setup.sh all

.PHONY: setup-build setup-test
setup-build:
	@tools/setup.sh build
setup-test:
	@tools/setup.sh test

.PHONY: build
build: setup-build ## build everything (default)
	@$(CONFIGURE) -B $(BUILD) --log-level=WARNING
	@cmake --build $(BUILD) -j $(JOBS)

.PHONY: demo
demo: build ## a device updates itself over HTTPS, and survives bad images
	@$(BUILD)/bin/porta demo

.PHONY: test
test: setup-test build ## build and run every test
	@$(TEST) $(BUILD)

.PHONY: test-san
test-san: setup-test ## the same tests with address and UB sanitizers
	@$(MAKE) build BUILD=$(BUILD)-san CMAKE_ARGS="$(CMAKE_ARGS) -DPORTA_SANITIZE=ON"
	@$(TEST) $(BUILD)-san

.PHONY: fuzz
fuzz: setup ## short fuzz runs of every parser (FUZZ_SECONDS=20 each)
	@$(CONFIGURE) -B $(BUILD)-fuzz --log-level=WARNING \
	    -DCMAKE_C_COMPILER=clang -DPORTA_FUZZ=ON
	@cmake --build $(BUILD)-fuzz -j $(JOBS) --target fuzzers
	@tools/fuzz.sh $(BUILD)-fuzz $(FUZZ_SECONDS) $(JOBS)

.PHONY: bench
bench: setup-test build ## time and count an update; writes build/bench.json
	@test -x bench/run || { echo "there is no bench/run"; exit 1; }
	@bench/run $(BUILD)

.PHONY: lint
lint: setup ## formatting, layers, headers, and the rules of the house
	@$(PYTHON) -B tools/lint

.PHONY: format
format: setup ## let clang-format decide
	@$(PYTHON) tools/lint --fix format

.PHONY: check-deep
check-deep: setup ## the long proofs: sanitizers and long fuzzing
	@$(MAKE) test-san
	@$(MAKE) fuzz FUZZ_SECONDS=600

.PHONY: clean
clean: ## remove what was built (.deps/ stays)
	@rm -rf $(BUILD) $(BUILD)-san $(BUILD)-fuzz $(BUILD)-clang
