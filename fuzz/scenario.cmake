porta_fuzz(scenario SOURCES fuzz_scenario.c LIBS porta_cmds)
target_include_directories(fuzz_scenario PRIVATE
    "${PROJECT_SOURCE_DIR}/apps/porta")
