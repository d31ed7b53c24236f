porta_fuzz(fuse SOURCES fuzz_fuse.c LIBS porta_fuse porta_base)
