# The door: every command a person needs. CMake does the work; set-up comes
# first, so that a machine which has only make and sh can begin here.

.DEFAULT_GOAL := build
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

BUILD ?= build
CMAKE_ARGS ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
LABEL ?=
BENCH ?=
ANALYSE ?=
FUZZ_SECONDS ?= $(if $(filter check-deep,$(MAKECMDGOALS)),300,20)
PREFIX ?= /usr/local

# Debian's Python modules belong to this one, whatever is first in PATH.
PYTHON := /usr/bin/python3 -B
TEST = $(PYTHON) tools/test_summary.py $(DIR) --jobs $(JOBS) --label '$(LABEL)'

# The folder and the mode of the build that a command needs.
DIR = $(BUILD)
MODE =

# What is built: what people use. Tests are most of the work, and only for
# those who run them.
TARGET = product
test test-san test-tsan test-msan coverage bench: TARGET = all

# How much set-up a command needs: see tools/setup.sh.
GROUP ?= build
test test-san: GROUP = test
bench: GROUP = bench
setup lint format analyse test-tsan test-msan fuzz coverage \
    check-deep: GROUP = dev
board sizes: GROUP = board

.PHONY: help
help: ## say what each command does
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

.PHONY: setup
setup: ready ## install Debian packages, fetch Mbed TLS

.PHONY: ready
ready:
	@tools/setup.sh $(GROUP)

.PHONY: configure
configure: ready
	@cmake -G Ninja -S . -B $(DIR) --log-level=WARNING \
	    $(CMAKE_ARGS) $(MODE)

.PHONY: build
build: configure ## build libraries, porta and examples (default)
	@cmake --build $(DIR) -j $(JOBS) --target $(TARGET)

.PHONY: demo
demo: build ## a device updates itself over HTTPS, and survives bad images
	@$(BUILD)/bin/porta demo

.PHONY: test
test: build ## build and run every test (LABEL=unit: one kind)
	@$(TEST)

.PHONY: test-san
test-san: DIR = $(BUILD)-san
test-san: MODE = -DPORTA_SANITIZE=ON
test-san: build ## the same tests with address and UB sanitizers
	@$(TEST)

.PHONY: test-tsan
test-tsan: DIR = $(BUILD)-tsan
test-tsan: MODE = -DPORTA_SANITIZE=thread
test-tsan: LABEL = ^threads$$
test-tsan: build ## the tests that have threads, with the thread sanitizer
	@$(TEST)

.PHONY: test-msan
test-msan: DIR = $(BUILD)-msan
test-msan: MODE = -DCMAKE_C_COMPILER=clang -DPORTA_SANITIZE=memory
test-msan: LABEL = ^(unit|fuzz)$$
test-msan: build ## unit tests and fuzz corpora, with the memory sanitizer
	@$(TEST)

.PHONY: fuzz
fuzz: DIR = $(BUILD)-fuzz
fuzz: MODE = -DCMAKE_C_COMPILER=clang -DPORTA_FUZZ=ON
fuzz: configure ## short fuzz runs of every parser (FUZZ_SECONDS=20 each)
	@cmake --build $(DIR) -j $(JOBS) --target fuzzers
	@tools/fuzz.sh $(DIR) $(FUZZ_SECONDS) $(JOBS)

.PHONY: coverage
coverage: DIR = $(BUILD)-coverage
coverage: MODE = -DPORTA_COVERAGE=ON
coverage: LABEL = coverage
coverage: build ## lines and branches that the tests run, by module
	@find $(DIR) -name '*.gcda' -delete
	@$(TEST)
	@$(PYTHON) tools/coverage.py $(DIR)

.PHONY: board
board: configure ## the same update on an emulated bare-metal board, with its tests
	@cmake --build $(DIR) -j $(JOBS) --target porta_tool
	@cmake -G Ninja -S . -B $(BUILD)-board --log-level=WARNING \
	    --toolchain cmake/rv32.cmake --no-warn-unused-cli \
	    -DPORTA_BOARD=qemu_virt_rv32 -DPORTA_HOST_BIN=$(abspath $(BUILD)/bin)
	@cmake --build $(BUILD)-board -j $(JOBS)
	@$(PYTHON) tools/test_summary.py $(BUILD)-board --jobs $(JOBS) \
	    --label '$(LABEL)'
	@cat $(BUILD)/boards/qemu-virt-rv32/budgets.txt

.PHONY: bench
bench: build ## time and count everything: build/bench.json, .md, .svg (BENCH=quick)
	@bench/run $(BUILD) $(if $(filter quick,$(BENCH)),--quick)
	@cat $(BUILD)/boards/qemu-virt-rv32/budgets.txt 2>/dev/null || \
	    echo "budgets of the board: run 'make board' first"

.PHONY: sizes
sizes: ready ## code size on rv32: of an update, of modules since the last commit
	@$(PYTHON) tools/update_size.py --path
	@$(PYTHON) tools/update_size.py --modules --compare

.PHONY: lint
lint: ready ## formatting, layers, headers, and the rules of the house
	@$(PYTHON) tools/lint

.PHONY: analyse
analyse: configure ## clang-tidy, cppcheck, gcc -fanalyzer (ANALYSE=cppcheck: one)
	@$(PYTHON) tools/analyse $(DIR) --jobs $(JOBS) $(ANALYSE)

.PHONY: format
format: ready ## let clang-format decide
	@$(PYTHON) tools/lint --fix format

.PHONY: check-deep
check-deep: ready ## the long proofs: cuts, kills, soaks, fuzzing (FUZZ_SECONDS=300); LABEL=power: of one kind
	@tools/check_deep.sh '$(BUILD)' '$(FUZZ_SECONDS)' '$(CMAKE_ARGS)' \
	    '$(LABEL)'

PROJECT ?=
.PHONY: menuconfig
menuconfig: build ## edit the options of a project (PROJECT=DIR)
	@test -n "$(PROJECT)" || { echo "menuconfig: PROJECT=DIR names an \
	ESP-IDF project, such as examples/projects/one_shot"; exit 1; }
	@rm -rf $(BUILD)/menuconfig
	@IDF_PATH=$(abspath $(BUILD))/share/porta/idf cmake -G Ninja \
	    -S $(PROJECT) -B $(BUILD)/menuconfig --log-level=WARNING || \
	    test -f $(BUILD)/menuconfig/config/options.words
	@$(PYTHON) tools/project menu @$(BUILD)/menuconfig/config/options.words

.PHONY: options
options: build ## write docs/options.md and docs/api.md from Kconfig and headers
	@$(PYTHON) tools/project docs --idf $(CURDIR) -o docs/options.md
	@$(PYTHON) tools/api_table.py $(BUILD)

.PHONY: docs
docs: GROUP = dev
docs: configure ## the API pages, from the headers: build/docs/html
	@mkdir -p $(BUILD)/docs
	@PORTA_SOURCE=$(CURDIR) PORTA_DOCS=$(BUILD)/docs \
	    PORTA_VERSION=$$(sed -n 's/^CMAKE_PROJECT_VERSION:[^=]*=//p' \
	    $(BUILD)/CMakeCache.txt) doxygen tools/doxygen/Doxyfile
	@echo "$(BUILD)/docs/html/index.html"

.PHONY: install
install: build ## install libraries, headers and programs (PREFIX=/usr/local)
	@cmake --install $(BUILD) --prefix $(PREFIX)

.PHONY: deb
deb: DIR = $(BUILD)-deb
deb: MODE = -DPORTA_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr
deb: build ## a Debian package: build-deb/porta_VERSION_ARCH.deb
	@cd $(DIR) && cpack -G DEB && ls -l porta_*.deb

.PHONY: clean
clean: ## remove what was built (.deps/ stays)
	@rm -rf $(BUILD) $(BUILD)-san $(BUILD)-fuzz $(BUILD)-deep $(BUILD)-board \
	    $(BUILD)-tsan $(BUILD)-msan $(BUILD)-coverage $(BUILD)-deb
