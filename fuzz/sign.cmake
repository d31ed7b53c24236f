porta_fuzz(image_sig SOURCES fuzz_image_sig.c LIBS porta_image porta_crypto porta_base)
porta_fuzz(key_set SOURCES fuzz_key_set.c LIBS porta_image porta_crypto porta_part porta_base)
porta_fuzz(key_file SOURCES fuzz_key_file.c LIBS porta_cmds)
target_include_directories(fuzz_key_file PRIVATE
    "${PROJECT_SOURCE_DIR}/apps/porta")
porta_fuzz(sig_block SOURCES fuzz_sig_block.c LIBS porta_image porta_crypto porta_base)
