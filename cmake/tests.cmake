# How tests and fuzz targets are declared. Every kind of test is a CTest test,
# so `ctest --test-dir build` runs them all; tools/test_summary.py counts the
# cases inside them.

set(PORTA_TEST_TIMEOUT 120 CACHE STRING "Seconds after which a test has failed")
set(PORTA_PYTHON /usr/bin/python3 CACHE FILEPATH
    "Debian's Python: the one that Debian's Python modules belong to")

# Where tests find `porta`: in this build, except where that is for a board.
set(PORTA_TEST_BIN "${PROJECT_BINARY_DIR}/bin")
if(PORTA_BOARD)
    set(PORTA_TEST_BIN "${PORTA_HOST_BIN}")
endif()

# test/<kind>/...: the kind is the label, `ctest -L unit` runs one kind.
function(porta_test_kind out)
    file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}/test"
        "${CMAKE_CURRENT_SOURCE_DIR}")
    string(REGEX REPLACE "/.*" "" kind "${path}")
    if(kind STREQUAL "" OR kind STREQUAL "..")
        set(kind unit)
    endif()
    set(${out} ${kind} PARENT_SCOPE)
endfunction()

function(porta_test_properties test kind timeout)
    if(NOT timeout)
        set(timeout ${PORTA_TEST_TIMEOUT})
    endif()
    if(PORTA_SANITIZE)
        math(EXPR timeout "${timeout} * 3")
    endif()
    if(PORTA_COVERAGE)
        math(EXPR timeout "${timeout} * 30")
    endif()
    if(PORTA_DEEP)
        math(EXPR timeout "${timeout} * 30")
    endif()
    set(labels ${kind})
    if(PORTA_COVERAGE AND NOT test MATCHES "${PORTA_NOT_COUNTED}")
        list(APPEND labels coverage)
    endif()
    set_tests_properties(${test} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout}
        SKIP_RETURN_CODE 77)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT
        "PORTA_BIN=${PORTA_TEST_BIN}"
        "PORTA_SOURCE=${PROJECT_SOURCE_DIR}"
        "PORTA_SANITIZE=$<BOOL:${PORTA_SANITIZE}>")
    if(PORTA_DEEP)
        set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "PORTA_DEEP=1")
    endif()
    # A race ends the program, which each test notices; a device's program says
    # it on a console that no test reads to its end.
    if(PORTA_SANITIZE STREQUAL "thread")
        set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT
            "TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1")
    endif()
    if(DEFINED ENV{PORTA_TEST_DATA})
        get_filename_component(data "$ENV{PORTA_TEST_DATA}" ABSOLUTE
            BASE_DIR "${PROJECT_SOURCE_DIR}")
        set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT
            "PORTA_TEST_DATA=${data}")
    endif()
endfunction()

# porta_test(<name> SOURCES x.c ... [LIBS target ...] [TIMEOUT seconds])
# A cmocka program, test <kind>.<name>.
function(porta_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS")
    porta_test_kind(kind)
    set(target test_${kind}_${name})
    add_executable(${target} ${arg_SOURCES})
    porta_target_setup(${target} guest)
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/test")
    porta_link(${target} PRIVATE ${arg_LIBS} PkgConfig::CMOCKA)
    set_target_properties(${target} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/test-bin")
    add_test(NAME ${kind}.${name} COMMAND ${target})
    porta_test_properties(${kind}.${name} ${kind} "${arg_TIMEOUT}")
endfunction()

# porta_script_test(<name> COMMAND cmd ... [TIMEOUT seconds])
# Exit 0 passed, 77 skipped, anything else failed.
function(porta_script_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND")
    porta_test_kind(kind)
    add_test(NAME ${kind}.${name} COMMAND ${arg_COMMAND})
    porta_test_properties(${kind}.${name} ${kind} "${arg_TIMEOUT}")
endfunction()

# porta_pytest(<name> FILE test_x.py [TIMEOUT seconds] [ARGS ...])
# One pytest file. Debian's python3 and its pytest, whatever is first in PATH.
function(porta_pytest name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILE;TIMEOUT" "ARGS")
    porta_test_kind(kind)
    set(test ${kind}.${name})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 600)
    endif()
    add_test(NAME ${test} COMMAND "${PORTA_PYTHON}" -m pytest -q -p
        no:cacheprovider "${CMAKE_CURRENT_SOURCE_DIR}/${arg_FILE}"
        "--junit-xml=${PROJECT_BINARY_DIR}/pytest/${test}.xml" ${arg_ARGS})
    porta_test_properties(${test} ${kind} ${arg_TIMEOUT})
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT
        "PYTHONDONTWRITEBYTECODE=1")
endfunction()

# porta_threads(<test> ...)
# Tests in which threads meet: they get a label more, `make test-tsan` runs
# those.
function(porta_threads)
    set_property(TEST ${ARGN} APPEND PROPERTY LABELS threads)
endfunction()

# porta_not_memory(<test>)
# A test that `make test-msan` cannot run: memory that it reads was written by
# a library that has no memory sanitizer in it.
function(porta_not_memory test)
    if(PORTA_SANITIZE STREQUAL "memory" AND TEST ${test})
        set_property(TEST ${test} PROPERTY LABELS uninstrumented)
    endif()
endfunction()

# porta_mutants(<names> <script> <folder>)
# Each mutant that the script lists (test/mutate.py) becomes a file <name>.c in
# the binary folder, made of the one that it names below <folder>; <names> are
# their names.
function(porta_mutants names script folder)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        "${script}" "${PROJECT_SOURCE_DIR}/test/mutate.py")
    execute_process(COMMAND "${PORTA_PYTHON}" -B "${script}" list
        OUTPUT_VARIABLE mutants OUTPUT_STRIP_TRAILING_WHITESPACE
        COMMAND_ERROR_IS_FATAL ANY)
    foreach(mutant IN LISTS mutants)
        string(REGEX REPLACE ":.*" "" name "${mutant}")
        string(REGEX REPLACE ".*:" "" file "${mutant}")
        set(made "${CMAKE_CURRENT_BINARY_DIR}/${name}.c")
        add_custom_command(OUTPUT "${made}"
            COMMAND "${PORTA_PYTHON}" -B "${script}" make ${name}
                "${folder}/${file}" > "${made}"
            DEPENDS "${script}" "${PROJECT_SOURCE_DIR}/test/mutate.py"
                "${folder}/${file}" VERBATIM)
        list(APPEND found ${name})
    endforeach()
    set(${names} ${found} PARENT_SCOPE)
endfunction()

# porta_fuzz(<name> SOURCES fuzz_name.c ... [LIBS target ...])
# With -DPORTA_FUZZ=ON a libFuzzer program <build>/fuzz-bin/<name>; in every
# other build a program that replays fuzz/corpus/<name>/, as a test.
# Paths are relative to fuzz/.
function(porta_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    set(corpus "${PROJECT_SOURCE_DIR}/fuzz/corpus/${name}")
    add_executable(fuzz_${name} ${arg_SOURCES})
    porta_target_setup(fuzz_${name} guest)
    # The entry of a fuzzer is declared nowhere: libFuzzer has no header for C.
    target_compile_options(fuzz_${name} PRIVATE -Wno-missing-prototypes)
    porta_link(fuzz_${name} PRIVATE ${arg_LIBS})
    set_target_properties(fuzz_${name} PROPERTIES OUTPUT_NAME ${name}
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz-bin")
    add_dependencies(fuzzers fuzz_${name})
    if(PORTA_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(fuzz_${name} PRIVATE
            "${PROJECT_SOURCE_DIR}/fuzz/replay_main.c")
        add_test(NAME fuzz.${name} COMMAND fuzz_${name} "${corpus}")
        porta_test_properties(fuzz.${name} fuzz "")
    endif()
endfunction()
