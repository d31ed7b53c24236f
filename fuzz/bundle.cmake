porta_fuzz(bundle SOURCES fuzz_bundle.c LIBS porta_tls porta_port_linux)
