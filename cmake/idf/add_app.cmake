# An application in a CMake project of one's own, after find_package(porta).

include("${CMAKE_CURRENT_LIST_DIR}/fail.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/app.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/options.cmake")

# The options of one application, in dir/config.
function(porta_add_app_options dir defaults table)
    if(table)
        get_filename_component(table "${table}" ABSOLUTE)
        if(NOT EXISTS "${table}")
            porta_fail("porta_add_app: PARTITIONS ${table} is not there")
        endif()
        file(MAKE_DIRECTORY "${dir}/config")
        file(CONFIGURE OUTPUT "${dir}/config/partitions.defaults" CONTENT
            "CONFIG_PARTITION_TABLE_CUSTOM=y
CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${table}\"
")
    endif()
    set(files "")
    foreach(file IN LISTS defaults)
        get_filename_component(file "${file}" ABSOLUTE)
        if(NOT EXISTS "${file}")
            porta_fail("porta_add_app: SDKCONFIG_DEFAULTS ${file} is not there")
        endif()
        list(APPEND files "${file}")
    endforeach()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
    if(table)
        list(APPEND files "${dir}/config/partitions.defaults")
    endif()
    set(target esp32)
    if(IDF_TARGET)
        set(target "${IDF_TARGET}")
    endif()
    file(MAKE_DIRECTORY "${dir}")
    porta_tool_run(options --idf "${PORTA_IDF_DIR}" --project
        "${CMAKE_CURRENT_SOURCE_DIR}" --out "${dir}" --target "${target}"
        --connection --defaults ${files})
endfunction()

# porta_add_app(NAME name SRCS a.c ... [EMBED file ...] [EMBED_FILES file ...]
#               [VERSION text] [SDKCONFIG_DEFAULTS file ...] [PARTITIONS csv]
#               [INCLUDE_DIRS dir ...])
# The target <name>, which is the program, and in the build folder <name>/:
# <name>.bin, flash.bin and partition_table/. EMBED is for text, which gets a
# NUL at its end, EMBED_FILES for bytes.
function(porta_add_app)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;VERSION;PARTITIONS"
        "SRCS;EMBED;EMBED_FILES;SDKCONFIG_DEFAULTS;INCLUDE_DIRS")
    if(NOT arg_NAME OR NOT arg_SRCS OR arg_UNPARSED_ARGUMENTS)
        porta_fail("porta_add_app(NAME name SRCS a.c ... [EMBED file ...] "
            "[EMBED_FILES file ...] [VERSION text] [SDKCONFIG_DEFAULTS file "
            "...] [PARTITIONS csv] [INCLUDE_DIRS dir ...]); got: ${ARGV}")
    endif()
    set(dir "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}")
    porta_add_app_options("${dir}" "${arg_SDKCONFIG_DEFAULTS}"
        "${arg_PARTITIONS}")
    include("${dir}/config/sdkconfig.cmake")
    set(PORTA_CONFIG_DIR "${dir}/config")
    set(version "${arg_VERSION}")
    if(CONFIG_APP_PROJECT_VER_FROM_CONFIG)
        set(version "${CONFIG_APP_PROJECT_VER}")
    elseif(version STREQUAL "")
        set(version "${PROJECT_VERSION}")
    endif()
    if(version STREQUAL "")
        set(version 1)
    endif()
    foreach(kind EMBED EMBED_FILES)
        foreach(file IN LISTS arg_${kind})
            get_filename_component(file "${file}" ABSOLUTE)
            if(NOT EXISTS "${file}")
                porta_fail("porta_add_app: ${kind} ${file} is not there")
            endif()
            if(kind STREQUAL "EMBED")
                porta_embed(source "${file}" TEXT "")
            else()
                porta_embed(source "${file}" BINARY "")
            endif()
            list(APPEND arg_SRCS "${source}")
        endforeach()
    endforeach()
    add_executable(${arg_NAME} ${arg_SRCS})
    set_target_properties(${arg_NAME} PROPERTIES C_STANDARD 17 C_EXTENSIONS ON
        RUNTIME_OUTPUT_DIRECTORY "${dir}" OUTPUT_NAME "${arg_NAME}.elf")
    target_include_directories(${arg_NAME} PRIVATE ${arg_INCLUDE_DIRS})
    porta_app_flags(${arg_NAME})
    target_link_options(${arg_NAME} PRIVATE ${PORTA_APP_LINK_OPTIONS})
    porta_app_link(${arg_NAME})
    porta_app_source(${arg_NAME} "${CMAKE_CURRENT_SOURCE_DIR}" "${dir}")
    porta_app_pack(${arg_NAME} "${arg_NAME}" "${version}"
        "${CMAKE_CURRENT_SOURCE_DIR}" "${dir}")
endfunction()
