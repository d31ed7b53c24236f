porta_fuzz(scenario SOURCES fuzz_scenario.c LIBS porta_cmds)
# The C++ library makes the strings of its TOML reader.
porta_not_memory(fuzz.scenario)
target_include_directories(fuzz_scenario PRIVATE
    "${PROJECT_SOURCE_DIR}/apps/porta")
