porta_fuzz(otadata SOURCES fuzz_otadata.c LIBS porta_otadata)
