porta_fuzz(bootopts SOURCES fuzz_bootopts.c LIBS porta_boot)
