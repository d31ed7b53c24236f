# rv32.cmake - toolchain file: Debian's bare-metal compiler for rv32imac, with
# picolibc. Used by -DPORTA_BOARD=qemu_virt_rv32; see cmake/board.cmake.

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_ASM_COMPILER riscv64-unknown-elf-gcc)
# Archives of what is optimised at link time.
set(CMAKE_AR riscv64-unknown-elf-gcc-ar CACHE FILEPATH "")
set(CMAKE_RANLIB riscv64-unknown-elf-gcc-ranlib CACHE FILEPATH "")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

# -misa-spec=2.2: with the compiler's default, CSR instructions are an
# extension to be named, and naming it makes it pick the 64-bit libraries.
set(rv32 "--specs=picolibc.specs -march=rv32imac -mabi=ilp32 -misa-spec=2.2")
set(CMAKE_C_FLAGS_INIT "${rv32}")
set(CMAKE_ASM_FLAGS_INIT "${rv32}")
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
