porta_fuzz(image
    SOURCES fuzz_image.c "${PROJECT_SOURCE_DIR}/test/unit/image/naive.c"
    LIBS porta_image porta_crypto porta_base)
target_include_directories(fuzz_image PRIVATE "${PROJECT_SOURCE_DIR}/test")
porta_fuzz(image_elf
    SOURCES fuzz_image_elf.c "${PROJECT_SOURCE_DIR}/apps/porta/elf_segments.c"
        "${PROJECT_SOURCE_DIR}/apps/porta/elf_symbols.c"
    LIBS porta_image porta_crypto porta_base)
target_include_directories(fuzz_image_elf PRIVATE
    "${PROJECT_SOURCE_DIR}/apps/porta")
porta_fuzz(image_cap SOURCES fuzz_image_cap.c LIBS porta_image porta_crypto porta_part porta_base)
