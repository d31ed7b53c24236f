porta_fuzz(notes SOURCES fuzz_notes.c LIBS porta_update)
