# The way in for an ESP-IDF project: its CMakeLists.txt includes
# $ENV{IDF_PATH}/tools/cmake/project.cmake, which is this file, and then calls
# project(). Here that means: find the components, work out the options, build
# the program, pack it, make a flash file with it.
#
# `porta build DIR` sets IDF_PATH; so may anyone who prefers to call cmake.

include_guard(GLOBAL)
cmake_minimum_required(VERSION 3.25)

get_filename_component(PORTA_IDF_DIR "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(PORTA_PREFIX "${PORTA_IDF_DIR}/../../.." ABSOLUTE)
set(IDF_PATH "${PORTA_IDF_DIR}")
set(ENV{IDF_PATH} "${PORTA_IDF_DIR}")
set(IDF_VERSION_MAJOR 6)
set(IDF_VERSION_MINOR 2)
set(IDF_VERSION_PATCH 0)
set(ENV{IDF_VERSION} "6.2.0")

set(porta_here "${CMAKE_CURRENT_LIST_DIR}")
# The compiler and the sanitizers of the library.
include("${PORTA_PREFIX}/share/porta/build.cmake" OPTIONAL)
set(PORTA_COMMAND "${PORTA_PREFIX}/bin/porta")
include("${porta_here}/fail.cmake")
include("${porta_here}/app.cmake")
include("${porta_here}/components.cmake")
include("${porta_here}/component.cmake")
include("${porta_here}/encrypt.cmake")
include("${porta_here}/options.cmake")
include("${porta_here}/version.cmake")

# What project() of CMake is given: C alone, unless the project says more.
function(porta_project_words out name)
    set(words "${name}" ${ARGN})
    if(NOT ARGN MATCHES "(^|;)(LANGUAGES|C|CXX|NONE)(;|$)")
        if(ARGN)
            list(APPEND words LANGUAGES)
        endif()
        list(APPEND words C)
    endif()
    set(${out} "${words}" PARENT_SCOPE)
endfunction()

macro(project project_name)
    porta_project_words(porta_words ${project_name} ${ARGN})
    _project(${porta_words})
    if(NOT TARGET porta::porta)
        set(porta_DIR "${PORTA_PREFIX}/${PORTA_LIB_DIR}/cmake/porta")
        find_package(porta CONFIG REQUIRED)
    endif()
    porta_components_find()
    porta_components_languages()
    porta_options_read()
    include("${CMAKE_BINARY_DIR}/config/sdkconfig.cmake")
    porta_project_version()
    porta_program_begin("${project_name}")
    porta_components_add()
    porta_program_end("${project_name}")
endmacro()
