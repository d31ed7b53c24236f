# Applications for a device on Linux: an ESP-IDF style program, linked with the
# library and the runtime in compat/, and packed into an image.

# The C source that embeds a text file as ESP-IDF's build does: symbols
# _binary_<name>_start and _end around the bytes and one NUL.
function(porta_embed_text out file)
    get_filename_component(name "${file}" NAME)
    string(REGEX REPLACE "[^A-Za-z0-9]" "_" symbol "${name}")
    set(source "${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c")
    file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT [[
__asm__(".section .rodata.embed_@symbol@, \"a\"\n"
        ".global _binary_@symbol@_start\n"
        "_binary_@symbol@_start:\n"
        ".incbin \"@file@\"\n"
        ".byte 0\n"
        ".global _binary_@symbol@_end\n"
        "_binary_@symbol@_end:\n"
        ".previous\n");
]])
    set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${file}")
    set(${out} "${source}" PARENT_SCOPE)
endfunction()

# porta_add_app(<name> SRCS a.c ... PROJECT name VERSION text
#               [SECURE_VERSION n] [EMBED_TXTFILES file ...] [DEFINES X=1 ...])
# <build>/apps/<name>.elf with symbols, for debuggers, and <name>.bin, the
# image that `porta flash create --app` takes. Sources see ESP-IDF's headers,
# and sdkconfig.h without including it.
function(porta_add_app name)
    cmake_parse_arguments(PARSE_ARGV 1 arg ""
        "PROJECT;VERSION;SECURE_VERSION" "SRCS;EMBED_TXTFILES;DEFINES")
    if(NOT arg_SRCS OR NOT arg_PROJECT OR NOT arg_VERSION
            OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "porta_add_app(${name}): SRCS a.c ... PROJECT name "
            "VERSION text [SECURE_VERSION n] [EMBED_TXTFILES file ...] "
            "[DEFINES X=1 ...]; got: ${ARGN}")
    endif()
    if(NOT arg_SECURE_VERSION)
        set(arg_SECURE_VERSION 0)
    endif()
    foreach(file IN LISTS arg_EMBED_TXTFILES)
        get_filename_component(file "${file}" ABSOLUTE)
        porta_embed_text(source "${file}")
        list(APPEND arg_SRCS "${source}")
    endforeach()

    set(apps "${PROJECT_BINARY_DIR}/apps")
    set(elf app_${name})
    add_executable(${elf} ${arg_SRCS})
    set_target_properties(${elf} PROPERTIES C_STANDARD 17 C_EXTENSIONS ON
        RUNTIME_OUTPUT_DIRECTORY "${apps}" OUTPUT_NAME "${name}.elf")
    # Application code is written as ESP-IDF's examples are: %d for an int32_t,
    # f() without void, functions that only one file knows, unused arguments.
    target_compile_options(${elf} PRIVATE ${PORTA_WARNINGS} -Wno-format
        -Wno-strict-prototypes -Wno-missing-prototypes -Wno-unused-parameter
        -include sdkconfig.h)
    target_compile_definitions(${elf} PRIVATE _GNU_SOURCE ${arg_DEFINES})
    # The archives use each other in circles: the runtime calls the
    # application and the application the runtime.
    target_link_libraries(${elf} PRIVATE porta_compat porta porta_port_linux)
    target_link_options(${elf} PRIVATE -Wl,--build-id=none)

    add_custom_command(OUTPUT "${apps}/${name}.bin"
        COMMAND ${CMAKE_STRIP} -o "${apps}/${name}.stripped"
            $<TARGET_FILE:${elf}>
        COMMAND porta_tool image create --chip linux
            --project "${arg_PROJECT}" --version "${arg_VERSION}"
            --secure-version ${arg_SECURE_VERSION}
            --ota-client $<TARGET_FILE:${elf}>
            --elf "${apps}/${name}.stripped" -o "${apps}/${name}.bin"
        COMMAND ${CMAKE_COMMAND} -E rm "${apps}/${name}.stripped"
        DEPENDS ${elf} porta_tool VERBATIM
        COMMENT "Packing apps/${name}.bin")
    add_custom_target(${elf}_image ALL DEPENDS "${apps}/${name}.bin")
endfunction()
