# -DPORTA_COVERAGE=ON, for `make coverage`: the modules of src/ count which of
# their lines and branches ran. Nothing else does; Mbed TLS keeps its speed.

if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "PORTA_COVERAGE needs gcc: its compiler counts, its "
        "gcov reads the counts")
endif()

# Not optimised, so that a branch of the source is one of the program. What may
# be uninitialised is a question for the optimiser.
set(PORTA_COUNTED --coverage -O0 -Wno-maybe-uninitialized)
add_link_options(--coverage)

# Threads of a test may run the same line at once, but not in these modules,
# whose tests are long.
set(PORTA_ONE_THREAD boot crypto fuse image otadata part)

# Counts what runs of a module.
function(porta_count_module name)
    target_compile_options(porta_${name}_obj PRIVATE ${PORTA_COUNTED})
    if(NOT name IN_LIST PORTA_ONE_THREAD)
        target_compile_options(porta_${name}_obj PRIVATE
            -fprofile-update=atomic)
    endif()
endfunction()

# What a process counted is written when it exits. A device that restarts or
# loses its power does not exit: see the file.
add_library(porta_counts OBJECT "${CMAKE_CURRENT_LIST_DIR}/coverage.c")
target_compile_definitions(porta_counts PRIVATE _GNU_SOURCE)
add_link_options("$<TARGET_OBJECTS:porta_counts>" -Wl,--wrap=_exit
    -Wl,--wrap=kill)

# Tests whose runs are not counted, by name: other kinds than these ask about
# sizes, calls and machines; mutants run code that is not ours; the pages link
# what is installed, without these flags; fail.commands lets the calls fail that
# write the counts; the torture's cuts are those of test/power.
set(PORTA_NOT_COUNTED "^(board|budget|compat|docs|emu|fault|model|tools)[.]"
    "mutant[.]" "^fail[.]commands$" "^e2e[.]torture$")
list(JOIN PORTA_NOT_COUNTED "|" PORTA_NOT_COUNTED)

# Files of src/ that a test compiles for itself, called in its folder.
function(porta_counted)
    set_source_files_properties(${ARGN} PROPERTIES
        COMPILE_OPTIONS "${PORTA_COUNTED}")
endfunction()
