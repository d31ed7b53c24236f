porta_fuzz(nvs SOURCES fuzz_nvs.c LIBS porta_kv porta_port_sim)
