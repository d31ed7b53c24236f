# Compiler flags: ours are strict, Mbed TLS is left alone.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

# Asserts stay on in the default build: they are for bugs in our code and a
# release that wants them gone says -DCMAKE_BUILD_TYPE=MinSizeRel or Release.
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)
# One code for the archives and for libporta.so. Nobody comes between our own
# functions there, so they are inlined as in a program.
if(PORTA_SHARED)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    add_compile_options(-fno-semantic-interposition)
endif()
if(NOT PORTA_BOARD)
    add_compile_options(
        "$<$<NOT:$<BOOL:${CMAKE_POSITION_INDEPENDENT_CODE}>>:-fPIE>")
    add_link_options(-pie)
endif()

set(PORTA_WARNINGS -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes
    -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla
    -Wformat=2)
if(PORTA_WERROR)
    list(APPEND PORTA_WARNINGS -Werror)
endif()

if(PORTA_FUZZ AND NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "PORTA_FUZZ needs clang: -DCMAKE_C_COMPILER=clang")
endif()
if(PORTA_SANITIZE STREQUAL "memory" AND NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR
        "PORTA_SANITIZE=memory needs clang: -DCMAKE_C_COMPILER=clang")
endif()
if(PORTA_SANITIZE OR PORTA_FUZZ)
    set(PORTA_SANITIZERS -fno-sanitize-recover=all -fno-omit-frame-pointer)
    if(PORTA_SANITIZE MATCHES "^(thread|memory)$")
        list(APPEND PORTA_SANITIZERS -fsanitize=${PORTA_SANITIZE})
    else()
        list(APPEND PORTA_SANITIZERS -fsanitize=address,undefined)
    endif()
    add_compile_options(${PORTA_SANITIZERS})
    add_link_options(${PORTA_SANITIZERS})
endif()
if(PORTA_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
