# What a builder may choose. The CFG_ values end in cfg.h, as numbers.

set(CFG_ROLLBACK 2 CACHE STRING "Rollback: 0 never, 1 always, 2 at run time")
set(CFG_ANTI_ROLLBACK 2 CACHE STRING
    "Anti-rollback: 0 never, 1 always, 2 at run time")
set(CFG_ALLOW_HTTP 2 CACHE STRING
    "Updates over plain HTTP: 0 never, 1 always, 2 at run time")
set(CFG_REQUIRE_HASH 2 CACHE STRING
    "Refuse images without a hash: 0 never, 1 always, 2 at run time")
set(CFG_REQUIRE_SIGNED 2 CACHE STRING
    "Refuse images that are not signed: 0 never, 1 always, 2 at run time")
set(CFG_SIGN_SCHEMES 30 CACHE STRING
    "Signature verifiers, a sum: 2 V1, 4 RSA-3072, 8 ECDSA P-256, 16 P-384")
set(CFG_KEYS_MAX 8 CACHE STRING "Keys that a set of trusted keys has room for")
set(CFG_SKIP_CERT_VERIFY 2 CACHE STRING
    "Skip server verification: 0 never, 1 always, 2 at run time")
set(CFG_PSK 2 CACHE STRING
    "TLS with pre-shared keys: 0 never, 1 always, 2 at run time")
set(CFG_DECRYPT_CB 2 CACHE STRING
    "Call-backs that decrypt: 0 never, 1 always, 2 at run time")
set(CFG_CERT_SELECT 2 CACHE STRING
    "Servers that choose their certificate: 0 never, 1 always, 2 at run time")
set(CFG_CERT_DATES 2 CACHE STRING
    "Dates of certificates: 0 never, 1 always (no clock: refuse), 2 at run time, 3 when the clock is plausible")
set(CFG_DENY 2 CACHE STRING
    "Images that failed their trial are refused: 0 never, 1 always, 2 at run time")
set(CFG_TRIAL_BOOTS 0 CACHE STRING
    "Resets that end the trial of a new image: 1 to 8, 0 at run time")
set(CFG_TRIALS 1 CACHE STRING
    "Trials of several boots, and the log of what becomes of them: 1 in, 0 out")
set(CFG_TLS_READ_AHEAD 4096 CACHE STRING
    "Bytes that a TLS session reads ahead: 64 to 65536")
set(CFG_WRITE_LEN 4096 CACHE STRING
    "Buffer of an update, programmed at once: 1024, 2048 or 4096")
set(CFG_LEN_64 1 CACHE STRING
    "Lengths of what a server sends: 1 in 64 bits, 0 in 32")
# Parts that a product may leave out; docs/board.md has what each of them costs.
set(CFG_DIGEST 1 CACHE STRING "HTTP Digest authentication: 1 in, 0 out")
set(CFG_OAUTH2 1 CACHE STRING
    "Bearer tokens and URLs that are asked for, OAuth 2: 1 in, 0 out")
set(CFG_PROXY 1 CACHE STRING "HTTP proxies: 1 in, 0 out")
set(CFG_RETRY 1 CACHE STRING
    "Asking again after a failure that may pass: 1 in, 0 out")
set(CFG_TICKETS 1 CACHE STRING
    "TLS sessions that go on with an earlier one: 1 in, 0 out")
set(CFG_STORE 1 CACHE STRING
    "What outlives a session, known versions and checkpoints: 1 in, 0 out")
set(CFG_STAGING 1 CACHE STRING
    "Updates of other partitions than applications: 1 in, 0 out")
set(CFG_PREFLIGHT 1 CACHE STRING
    "Questions that an image has to answer before the first erase: 1 in, 0 out")
set(CFG_RESULT 1 CACHE STRING
    "Results and cancelling of esp_https_ota sessions: 1 in, 0 out")
set(CFG_EVENTS 1 CACHE STRING "Events of updates in the event loop: 1 in, 0 out")
set(CFG_HTTP_APP 1 CACHE STRING
    "HTTP requests of an application's own, and their events: 1 in, 0 out")
set(CFG_SENTENCES 1 CACHE STRING
    "Sentences of failures: 1 compiled in, 0 a failure is a stage and a code")
set(CFG_WRITE_BEHIND 1 CACHE STRING
    "Erase and program while the next bytes come: 1 where a port can, 0 never")
set(CFG_LOG_LEVEL 5 CACHE STRING
    "Highest log level that is compiled in: 0 none to 5 verbose")

foreach(opt ROLLBACK ANTI_ROLLBACK ALLOW_HTTP REQUIRE_HASH REQUIRE_SIGNED
        SKIP_CERT_VERIFY PSK DECRYPT_CB CERT_SELECT DENY)
    if(NOT CFG_${opt} MATCHES "^[012]$")
        message(FATAL_ERROR "CFG_${opt} is '${CFG_${opt}}': it must be 0, 1 or 2")
    endif()
endforeach()
foreach(opt DIGEST OAUTH2 PROXY RETRY TICKETS STORE STAGING PREFLIGHT RESULT
        EVENTS HTTP_APP TRIALS SENTENCES WRITE_BEHIND LEN_64)
    if(NOT CFG_${opt} MATCHES "^[01]$")
        message(FATAL_ERROR "CFG_${opt} is '${CFG_${opt}}': it must be 0 or 1")
    endif()
endforeach()
if(NOT CFG_CERT_DATES MATCHES "^[0-3]$")
    message(FATAL_ERROR
        "CFG_CERT_DATES is '${CFG_CERT_DATES}': it must be 0 to 3")
endif()
if(NOT CFG_SIGN_SCHEMES MATCHES "^[0-9]+$" OR CFG_SIGN_SCHEMES GREATER 30)
    message(FATAL_ERROR "CFG_SIGN_SCHEMES is '${CFG_SIGN_SCHEMES}': a sum of "
        "2, 4, 8 and 16")
endif()
if(NOT CFG_KEYS_MAX MATCHES "^[1-8]$")
    message(FATAL_ERROR "CFG_KEYS_MAX is '${CFG_KEYS_MAX}': it must be 1 to 8")
endif()
if(NOT CFG_TRIAL_BOOTS MATCHES "^[0-8]$")
    message(FATAL_ERROR
        "CFG_TRIAL_BOOTS is '${CFG_TRIAL_BOOTS}': it must be 0 to 8")
endif()
if(NOT CFG_TLS_READ_AHEAD MATCHES "^[0-9]+$" OR
        CFG_TLS_READ_AHEAD LESS 64 OR CFG_TLS_READ_AHEAD GREATER 65536)
    message(FATAL_ERROR "CFG_TLS_READ_AHEAD is '${CFG_TLS_READ_AHEAD}': it "
        "must be 64 to 65536")
endif()
if(NOT CFG_WRITE_LEN MATCHES "^(1024|2048|4096)$")
    message(FATAL_ERROR "CFG_WRITE_LEN is '${CFG_WRITE_LEN}': it must be 1024, "
        "2048 or 4096")
endif()
if(NOT CFG_LOG_LEVEL MATCHES "^[0-5]$")
    message(FATAL_ERROR "CFG_LOG_LEVEL is '${CFG_LOG_LEVEL}': it must be 0 to 5")
endif()

option(PORTA_TESTS "Build the tests and the replay of the fuzz corpora" ON)
option(PORTA_DEEP "Tests run their long form: every cut twice, 1,000 kills" OFF)
set(PORTA_SANITIZE OFF CACHE STRING
    "Sanitizers for everything: OFF; ON (address and undefined); thread; memory")
set_property(CACHE PORTA_SANITIZE PROPERTY STRINGS OFF ON thread memory)
option(PORTA_COVERAGE "Count which lines and branches of src/ ran (gcc)" OFF)
option(PORTA_FUZZ "Build the fuzz targets with libFuzzer (needs clang)" OFF)
# Not where the sanitizers' own runtime has to come first, nor where gcc counts
# for programs only, and not on a board.
include(CMakeDependentOption)
cmake_dependent_option(PORTA_SHARED
    "Build libporta.so as well; all code is -fPIC then" ON
    "NOT PORTA_SANITIZE;NOT PORTA_FUZZ;NOT PORTA_COVERAGE;NOT PORTA_BOARD" OFF)
option(PORTA_WERROR "Treat warnings in our own code as errors" ON)
set(PORTA_ONLY "" CACHE STRING
    "Build these folders and their tests only, e.g. 'base;part;port/sim'")

set(PORTA_GENERATED_DIR "${PROJECT_BINARY_DIR}/generated")
configure_file("${PROJECT_SOURCE_DIR}/cmake/cfg.h.in"
    "${PORTA_GENERATED_DIR}/cfg.h" @ONLY)
