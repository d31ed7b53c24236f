# From sources to a device's program: what an ESP-IDF project and
# porta_add_app() have in common. The options are variables CONFIG_... here.

include("${CMAKE_CURRENT_LIST_DIR}/embed.cmake")

set(PORTA_APP_LINK_OPTIONS -pie -Wl,--gc-sections -Wl,--build-id=none
    ${PORTA_SANITIZERS})

# Flags of application code, which is GNU C that others wrote.
function(porta_app_flags target)
    get_property(options GLOBAL PROPERTY PORTA_BUILD_COMPILE_OPTIONS)
    get_property(c_options GLOBAL PROPERTY PORTA_BUILD_C_COMPILE_OPTIONS)
    get_property(defines GLOBAL PROPERTY PORTA_BUILD_COMPILE_DEFINITIONS)
    # Written for a chip where an int32_t is a long, which %d and %ld are told
    # apart by, and with functions that some options leave unused.
    target_compile_options(${target} PRIVATE
        -include "${PORTA_CONFIG_DIR}/sdkconfig.h" "SHELL:-include porta/newlib.h"
        -O2 -g -ffunction-sections -fdata-sections -fPIE -Wall
        -Wno-format -Wno-unused-function ${options}
        $<$<COMPILE_LANGUAGE:C>:${c_options}> ${PORTA_SANITIZERS})
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE ESP_PLATFORM
        IDF_VER="v6.2.0" ${defines})
    if(CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE)
        target_compile_definitions(${target} PRIVATE NDEBUG)
    endif()
    # Before the headers of the library: sdkconfig.h is the project's own.
    target_include_directories(${target} BEFORE PRIVATE "${PORTA_CONFIG_DIR}")
    target_link_libraries(${target} PRIVATE porta::porta_compat porta::porta
        porta::porta_mbedtls)
endfunction()

# Components call each other, and the runtime calls app_main(), in circles that
# nobody declared.
function(porta_app_link target)
    target_link_libraries(${target} PRIVATE -Wl,--start-group ${ARGN}
        porta::porta_compat porta::porta porta::porta_port_linux
        porta::porta_mbedtls -Wl,--end-group)
endfunction()

# The words that every verb of tools/project about a program takes.
function(porta_app_words out project dir)
    set(${out} --porta "${PORTA_COMMAND}" --config
        "${dir}/config/sdkconfig.json" --project "${project}" --out "${dir}"
        PARENT_SCOPE)
endfunction()

# app_config.c: made when CMake runs, so that a key or a certificate that is
# missing is said before anything is compiled.
function(porta_app_source target project dir)
    porta_app_words(words "${project}" "${dir}")
    porta_tool_run(source ${words})
    target_sources(${target} PRIVATE "${dir}/config/app_config.c")
    foreach(file "${CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH}"
            "${CONFIG_SECURE_BOOT_SIGNING_KEY}"
            "${CONFIG_SECURE_BOOT_VERIFICATION_KEY}")
        if(NOT file STREQUAL "" AND EXISTS "${project}/${file}")
            set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY
                CMAKE_CONFIGURE_DEPENDS "${project}/${file}")
        endif()
    endforeach()
endfunction()

# Image, table and flash file in dir: <name>.bin, partition_table/, flash.bin.
function(porta_app_pack target name version project dir)
    porta_app_words(words "${project}" "${dir}")
    set(inputs "${dir}/config/sdkconfig.json")
    if(CONFIG_PARTITION_TABLE_CUSTOM)
        get_filename_component(table
            "${CONFIG_PARTITION_TABLE_CUSTOM_FILENAME}" ABSOLUTE
            BASE_DIR "${project}")
        if(EXISTS "${table}")
            list(APPEND inputs "${table}")
        endif()
    endif()
    add_custom_command(
        OUTPUT "${dir}/${name}.bin" "${dir}/flash.bin"
            "${dir}/partition_table/partition-table.bin"
        COMMAND /usr/bin/python3 -B "${PORTA_IDF_DIR}/tools/project" pack
            ${words} --elf "$<TARGET_FILE:${target}>" --strip "${CMAKE_STRIP}"
            --name "${name}" --version "${version}"
        DEPENDS ${target} ${inputs} ${PORTA_COMMAND_TARGET} VERBATIM
        COMMENT "Packing ${name}.bin and flash.bin")
    add_custom_target(${target}_flash ALL DEPENDS "${dir}/flash.bin")
endfunction()

# --- the program of a project ------------------------------------------------

macro(porta_program_begin name)
    set(PORTA_CONFIG_DIR "${CMAKE_BINARY_DIR}/config")
    set(COMPONENT_KCONFIGS "")
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/empty.c"
        CONTENT "extern int porta_nothing;\n")
    add_executable(${name}.elf "${CMAKE_BINARY_DIR}/empty.c")
    set_target_properties(${name}.elf PROPERTIES OUTPUT_NAME "${name}.elf"
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
    porta_app_flags(${name}.elf)
    add_custom_target(app DEPENDS ${name}.elf)
endmacro()

function(porta_program_end name)
    get_property(names GLOBAL PROPERTY PORTA_COMPONENT_NAMES)
    set(libs "")
    foreach(component IN LISTS names)
        set(lib "__idf_${component}")
        get_target_property(whole ${lib} PORTA_WHOLE_ARCHIVE)
        get_target_property(type ${lib} TYPE)
        if(whole AND type STREQUAL "STATIC_LIBRARY")
            target_link_libraries(${name}.elf PRIVATE
                "$<LINK_LIBRARY:WHOLE_ARCHIVE,${lib}>")
        elseif(type STREQUAL "STATIC_LIBRARY")
            list(APPEND libs ${lib})
        else()
            target_link_libraries(${name}.elf PRIVATE ${lib})
        endif()
    endforeach()
    porta_app_link(${name}.elf ${libs})
    target_link_options(${name}.elf PRIVATE ${PORTA_APP_LINK_OPTIONS})
    porta_app_source(${name}.elf "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
    porta_app_pack(${name}.elf "${name}" "${PROJECT_VER}"
        "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
endfunction()
