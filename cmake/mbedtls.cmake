# Mbed TLS 3.6 as the target porta_mbedtls.
#
# From source by default, with our configuration, as one static library; the
# source is PORTA_MBEDTLS_SOURCE, else what tools/setup.sh put into .deps/.
# -DPORTA_MBEDTLS=system takes an installed one instead.

include(CheckCSourceCompiles)

set(PORTA_MBEDTLS source CACHE STRING
    "Mbed TLS: 'source' builds it, 'system' uses an installed one >= 3.6")
set(PORTA_TLS_RECORD_LEN 16384 CACHE STRING
    "Room for a TLS record: 16384, or 4096 or 2048 where memory is short")
set_property(CACHE PORTA_TLS_RECORD_LEN PROPERTY STRINGS 16384 4096 2048)
if(NOT PORTA_TLS_RECORD_LEN MATCHES "^(16384|4096|2048)$")
    message(FATAL_ERROR "PORTA_TLS_RECORD_LEN is '${PORTA_TLS_RECORD_LEN}': "
        "it must be 16384, 4096 or 2048")
endif()
set(PORTA_MBEDTLS_CONFIG mbedtls_config_host.h CACHE STRING
    "Configuration of Mbed TLS, when it is built: a file in cmake/")
mark_as_advanced(PORTA_MBEDTLS_CONFIG)
if(PORTA_SANITIZE STREQUAL "memory")
    set(PORTA_MBEDTLS_CONFIG mbedtls_config_msan.h)
endif()
set(PORTA_MBEDTLS_SOURCE "" CACHE PATH
    "Source folder of Mbed TLS 3.6; empty: what 'make setup' fetched")

function(porta_mbedtls_find_source out)
    set(source "${PORTA_MBEDTLS_SOURCE}")
    if(source STREQUAL "")
        file(GLOB found "${PROJECT_SOURCE_DIR}/.deps/mbedtls-3.6.*")
        if(NOT found)
            message(FATAL_ERROR "Mbed TLS is not there yet: run 'make setup', "
                "or name a source folder with -DPORTA_MBEDTLS_SOURCE=DIR, "
                "or take an installed one with -DPORTA_MBEDTLS=system")
        endif()
        list(SORT found COMPARE NATURAL ORDER DESCENDING)
        list(GET found 0 source)
    endif()
    get_filename_component(source "${source}" ABSOLUTE
        BASE_DIR "${PROJECT_SOURCE_DIR}")
    if(NOT EXISTS "${source}/library/ssl_tls.c")
        message(FATAL_ERROR "${source} is not a source folder of Mbed TLS: "
            "it has no library/ssl_tls.c")
    endif()
    set(${out} "${source}" PARENT_SCOPE)
endfunction()

function(porta_mbedtls_check_version header)
    file(STRINGS "${header}" line REGEX "define MBEDTLS_VERSION_STRING ")
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${line}")
    if(version VERSION_LESS 3.6 OR NOT version VERSION_LESS 4)
        message(FATAL_ERROR "Mbed TLS ${version} in ${header}: porta needs 3.6")
    endif()
    message(STATUS "Mbed TLS ${version}: ${header}")
endfunction()

# 3.6.6 refuses what it has offered: a signature of kind rsa_pss_rsae_* in TLS
# 1.2, which is what OpenSSL and GnuTLS pick for RSA keys where the server's
# preference counts. Its next release takes it again; see the test in
# test/e2e/test_tls.py. out: a mended copy, or the file itself.
function(porta_mbedtls_mend file out)
    file(READ "${file}" text)
    set(check "if (!mbedtls_ssl_sig_alg_is_supported(ssl, sig_alg)) {")
    set(mended "if (*pk_alg != MBEDTLS_PK_RSASSA_PSS &&
        !mbedtls_ssl_sig_alg_is_supported(ssl, sig_alg)) {")
    string(REPLACE "${check}" "${mended}" new "${text}")
    set(${out} "${file}" PARENT_SCOPE)
    if(NOT new STREQUAL text)
        set(copy "${PROJECT_BINARY_DIR}/mbedtls/ssl_tls12_client.c")
        file(CONFIGURE OUTPUT "${copy}" CONTENT "@new@" @ONLY)
        set(${out} "${copy}" PARENT_SCOPE)
    endif()
endfunction()

function(porta_mbedtls_from_source)
    porta_mbedtls_find_source(source)
    porta_mbedtls_check_version("${source}/include/mbedtls/build_info.h")
    file(GLOB files CONFIGURE_DEPENDS "${source}/library/*.c")
    list(REMOVE_ITEM files "${source}/library/ssl_tls12_client.c")
    porta_mbedtls_mend("${source}/library/ssl_tls12_client.c" mended)
    add_library(porta_mbedtls STATIC ${files} "${mended}")
    target_include_directories(porta_mbedtls SYSTEM PUBLIC
        "$<BUILD_INTERFACE:${source}/include>")
    target_include_directories(porta_mbedtls PUBLIC
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/cmake>"
        PRIVATE "${source}/library")
    target_compile_definitions(porta_mbedtls PUBLIC
        "$<BUILD_INTERFACE:MBEDTLS_CONFIG_FILE=\"${PORTA_MBEDTLS_CONFIG}\">")
    # On the command line only when it is not what the file says, so that who
    # builds against an installed library sees the same.
    if(NOT PORTA_TLS_RECORD_LEN EQUAL 16384)
        target_compile_definitions(porta_mbedtls PUBLIC
            MBEDTLS_SSL_IN_CONTENT_LEN=${PORTA_TLS_RECORD_LEN})
    endif()
    # Always optimised: without it TLS is too slow to test with. The flags of
    # the build type come first and the last -O wins.
    if(NOT PORTA_BOARD)
        target_compile_options(porta_mbedtls PRIVATE -O2)
    endif()
    set_target_properties(porta_mbedtls PROPERTIES C_STANDARD 11
        C_EXTENSIONS ON)
    if(NOT PORTA_BOARD)
        find_package(Threads REQUIRED)
        target_link_libraries(porta_mbedtls PUBLIC Threads::Threads)
    endif()
    # src/tls defines this and stands before Mbed TLS on every command line,
    # so a program that only signs would look for it too late.
    target_link_options(porta_mbedtls INTERFACE
        "LINKER:--undefined=mbedtls_psa_external_get_random")
    set(PORTA_MBEDTLS_DIR "${source}" PARENT_SCOPE)
endfunction()

# What src/tls builds on; a distribution's own choice may lack it.
function(porta_mbedtls_check_features)
    set(CMAKE_REQUIRED_INCLUDES "${PORTA_MBEDTLS_INCLUDE}")
    foreach(feature PLATFORM_MEMORY THREADING_C SSL_PROTO_TLS1_3 X509_CRT_WRITE_C)
        check_c_source_compiles("#include <mbedtls/build_info.h>
            #if !defined(MBEDTLS_${feature})
            #error missing
            #endif
            int main(void) { return 0; }" PORTA_MBEDTLS_HAS_${feature})
        if(NOT PORTA_MBEDTLS_HAS_${feature})
            message(FATAL_ERROR "PORTA_MBEDTLS=system: the installed Mbed TLS "
                "was built without MBEDTLS_${feature}; build it from source")
        endif()
    endforeach()
endfunction()

function(porta_mbedtls_from_system)
    find_path(PORTA_MBEDTLS_INCLUDE mbedtls/build_info.h)
    foreach(lib mbedtls mbedx509 mbedcrypto)
        find_library(PORTA_LIB_${lib} ${lib})
        list(APPEND libs "${PORTA_LIB_${lib}}")
    endforeach()
    if(NOT PORTA_MBEDTLS_INCLUDE OR libs MATCHES "NOTFOUND")
        message(FATAL_ERROR "PORTA_MBEDTLS=system: no Mbed TLS >= 3.6 is "
            "installed (Debian: libmbedtls-dev)")
    endif()
    porta_mbedtls_check_version("${PORTA_MBEDTLS_INCLUDE}/mbedtls/build_info.h")
    porta_mbedtls_check_features()
    add_library(porta_mbedtls INTERFACE)
    target_include_directories(porta_mbedtls SYSTEM INTERFACE
        "${PORTA_MBEDTLS_INCLUDE}")
    target_link_libraries(porta_mbedtls INTERFACE ${libs})
endfunction()

if(PORTA_MBEDTLS STREQUAL "source")
    porta_mbedtls_from_source()
elseif(PORTA_MBEDTLS STREQUAL "system")
    porta_mbedtls_from_system()
else()
    message(FATAL_ERROR "PORTA_MBEDTLS is '${PORTA_MBEDTLS}': source or system")
endif()
