# A board instead of Linux: -DPORTA_BOARD=qemu_virt_rv32, with its toolchain
# file and -DPORTA_HOST_BIN=<folder of the `porta` of a Linux build>, which
# packs the images.

set(PORTA_HOST_BIN "" CACHE PATH "bin/ of a build for Linux")
set(PORTA_MBEDTLS_CONFIG mbedtls_config_board.h)
set(PORTA_TESTS OFF CACHE BOOL "" FORCE)
if(NOT EXISTS "${PORTA_HOST_BIN}/porta")
    message(FATAL_ERROR "PORTA_HOST_BIN is '${PORTA_HOST_BIN}', where there is "
        "no porta: build for Linux first, or run `make board`")
endif()
set(PORTA_CHIP_TABLE chip_table_${PORTA_BOARD}.c)
# What is built for the board lies beside the `porta` that uses it.
set(PORTA_BOARD_DIR "${PORTA_HOST_BIN}/../boards/qemu-virt-rv32")
# A call of lwIP costs nothing, so nothing is read ahead but a record's head.
set(CFG_TLS_READ_AHEAD 64 CACHE STRING "")
# Its flash answers at once: there is nothing to do meanwhile.
set(CFG_WRITE_BEHIND 0 CACHE STRING "")
set(CFG_WRITE_LEN 1024 CACHE STRING "")
# No flash of its is longer than 32 bits can count.
set(CFG_LEN_64 0 CACHE STRING "")
enable_language(ASM)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_C_FLAGS_MINSIZEREL "-Os -g")
# No exceptions, no dynamic loading; calls through short stubs are smaller.
add_compile_options(-msave-restore -fno-asynchronous-unwind-tables
    -malign-data=natural)
# For src/ only: the whole of it is optimised at once when a program is linked.
# What is called once is not made part of its caller where that would make the
# caller's frame larger: the stack of an update is 4.9 KB so, and 11 KB else.
# tools/update_size.py reads the flags here.
set(PORTA_SRC_FLAGS -flto -mtune=size -fno-ipa-sra
    --param=large-stack-frame=32 --param=large-stack-frame-growth=5
    -fno-tree-switch-conversion)

# The one header that a system folder of the host has to lend.
find_file(PORTA_JSMN_H jsmn.h PATHS /usr/include NO_CMAKE_FIND_ROOT_PATH
    REQUIRED)
configure_file("${PORTA_JSMN_H}" "${PROJECT_BINARY_DIR}/lent/jsmn.h" COPYONLY)
# Headers that the C library of a board has not, for our own targets only:
# Mbed TLS takes what it finds for a system with sockets.
set(PORTA_BOARD_HEADERS "${PROJECT_BINARY_DIR}/lent"
    "${PROJECT_SOURCE_DIR}/port/${PORTA_BOARD}/libc")

function(porta_board)
    foreach(folder port/${PORTA_BOARD} apps/bootloader/${PORTA_BOARD}
            compat/bare examples/board)
        add_subdirectory("${PROJECT_SOURCE_DIR}/${folder}")
    endforeach()
    include(tests)
    add_subdirectory("${PROJECT_SOURCE_DIR}/test/emu")
endfunction()
