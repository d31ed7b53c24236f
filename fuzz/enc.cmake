porta_fuzz(enc_stream SOURCES fuzz_enc_stream.c
    LIBS porta_enc porta_tls porta_port_sim porta_mbedtls)
porta_fuzz(enc_key SOURCES fuzz_enc_key.c
    LIBS porta_enc porta_tls porta_port_sim porta_mbedtls)
porta_fuzz(enc_head SOURCES fuzz_enc_head.c
    LIBS porta_enc porta_tls porta_port_sim porta_mbedtls)
