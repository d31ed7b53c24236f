# PROJECT_VER: CONFIG_APP_PROJECT_VER, else what CMake or the environment say,
# else the first line of version.txt, project(VERSION), git describe, 1.

function(porta_version_git out)
    set(${out} "" PARENT_SCOPE)
    find_program(PORTA_GIT git)
    mark_as_advanced(PORTA_GIT)
    if(NOT PORTA_GIT)
        return()
    endif()
    execute_process(COMMAND "${PORTA_GIT}" -C "${CMAKE_SOURCE_DIR}"
        describe --always --tags --dirty OUTPUT_VARIABLE text
        ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(porta_version_find out)
    if(CONFIG_APP_PROJECT_VER_FROM_CONFIG)
        set(text "${CONFIG_APP_PROJECT_VER}")
        if(DEFINED CACHE{PROJECT_VER} AND
                NOT "$CACHE{PROJECT_VER}" STREQUAL text)
            message("note: -D PROJECT_VER=$CACHE{PROJECT_VER} does not count, "
                "CONFIG_APP_PROJECT_VER_FROM_CONFIG is set: this is version "
                "${text}")
        endif()
    elseif(DEFINED PROJECT_VER)
        set(text "${PROJECT_VER}")
    elseif(DEFINED ENV{PROJECT_VER})
        set(text "$ENV{PROJECT_VER}")
    elseif(EXISTS "${CMAKE_SOURCE_DIR}/version.txt")
        file(STRINGS "${CMAKE_SOURCE_DIR}/version.txt" text LIMIT_COUNT 1)
        set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY
            CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/version.txt")
    elseif(PROJECT_VERSION)
        set(text "${PROJECT_VERSION}")
    else()
        porta_version_git(text)
    endif()
    if(text STREQUAL "")
        set(text 1)
    endif()
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

macro(porta_project_version)
    porta_version_find(PROJECT_VER)
    string(LENGTH "${PROJECT_VER}" porta_len)
    if(porta_len GREATER 31)
        string(SUBSTRING "${PROJECT_VER}" 0 31 PROJECT_VER)
        message("note: the version is cut to 31 bytes: ${PROJECT_VER}")
    endif()
endmacro()
