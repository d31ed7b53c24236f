# How the folders of this tree declare what they build. A module, a program or
# a test is one call of one of these functions; see CONTRIBUTING.md.

set_property(GLOBAL PROPERTY PORTA_MODULES "")

# Is this folder part of the build? PORTA_ONLY narrows it, for work on one
# module while others are in pieces.
function(porta_wanted out name)
    set(${out} ON PARENT_SCOPE)
    if(PORTA_ONLY AND NOT name IN_LIST PORTA_ONLY)
        set(${out} OFF PARENT_SCOPE)
    endif()
endfunction()

function(porta_add_folder folder name)
    porta_wanted(wanted ${name})
    if(wanted AND EXISTS "${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt")
        add_subdirectory("${PROJECT_SOURCE_DIR}/${folder}")
    endif()
endfunction()

# Strict C11 for the portable core; everything that may know the operating
# system is compiled as gnu11 with _GNU_SOURCE. -Wpedantic is for code that
# is ours to shape: applications written for ESP-IDF, and tests that include
# what such applications include, use GNU's comma before __VA_ARGS__.
function(porta_target_setup target kind)
    target_include_directories(${target} PRIVATE
        "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/port/include"
        "${PROJECT_SOURCE_DIR}/src" "${PORTA_GENERATED_DIR}")
    target_include_directories(${target} SYSTEM PRIVATE ${PORTA_BOARD_HEADERS})
    target_compile_options(${target} PRIVATE ${PORTA_WARNINGS})
    if(NOT kind STREQUAL "guest")
        target_compile_options(${target} PRIVATE -Wpedantic)
    endif()
    if(NOT kind STREQUAL "core")
        set_target_properties(${target} PROPERTIES C_EXTENSIONS ON)
        target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    endif()
    if(PORTA_COVERAGE) # every link has it: cmake/coverage.cmake
        add_dependencies(${target} porta_counts)
    endif()
endfunction()

# Links what exists. A name of ours whose folder is not there is left out, so
# that a module can be built and tested before everything above it is.
function(porta_link target scope)
    foreach(lib IN LISTS ARGN)
        if(lib MATCHES "^porta_")
            target_link_libraries(${target} ${scope}
                "$<TARGET_NAME_IF_EXISTS:${lib}>")
        else()
            target_link_libraries(${target} ${scope} ${lib})
        endif()
    endforeach()
endfunction()

# porta_module(<name> SOURCES a.c b.c [DEPS base part ...] [LIBS target ...])
# A module of src/: the static library porta_<name>, and a part of libporta.a.
function(porta_module name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;LIBS")
    if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "porta_module(${name}): SOURCES a.c ... "
            "[DEPS module ...] [LIBS target ...]; got: ${ARGN}")
    endif()
    add_library(porta_${name}_obj OBJECT ${arg_SOURCES})
    porta_target_setup(porta_${name}_obj core)
    target_compile_options(porta_${name}_obj PRIVATE ${PORTA_SRC_FLAGS})
    if(PORTA_COVERAGE)
        porta_count_module(${name})
    endif()
    add_library(porta_${name} STATIC $<TARGET_OBJECTS:porta_${name}_obj>)
    list(TRANSFORM arg_DEPS PREPEND "porta_")
    porta_link(porta_${name}_obj PRIVATE ${arg_LIBS})
    porta_link(porta_${name} PUBLIC ${arg_DEPS} ${arg_LIBS})
    set_property(GLOBAL APPEND PROPERTY PORTA_MODULES ${name})
endfunction()

# porta_port(<name> SOURCES a.c ... [LIBS target ...])
# A port: the static library porta_port_<name>; who links it sees its headers.
function(porta_port name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    add_library(porta_port_${name} STATIC ${arg_SOURCES})
    porta_target_setup(porta_port_${name} system)
    target_include_directories(porta_port_${name} PUBLIC
        "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}>")
    porta_link(porta_port_${name} PUBLIC porta_base ${arg_LIBS})
    target_link_libraries(porta_port_${name} PUBLIC
        "$<INSTALL_INTERFACE:porta::porta>")
endfunction()

# porta_executable(<target> SOURCES a.c ... [LIBS target ...] [OUTPUT name]
#                  [GUEST])
# A program in <build>/bin. GUEST: application code that is not ours to shape
# (examples, ESP-IDF projects): no -Wpedantic.
function(porta_executable target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "GUEST" "OUTPUT" "SOURCES;LIBS")
    add_executable(${target} ${arg_SOURCES})
    if(arg_GUEST)
        porta_target_setup(${target} guest)
    else()
        porta_target_setup(${target} system)
    endif()
    porta_link(${target} PRIVATE ${arg_LIBS})
    set_target_properties(${target} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
    if(arg_OUTPUT)
        set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_OUTPUT})
    endif()
endfunction()

# libporta.a: the objects of every module that was declared.
function(porta_library)
    get_property(modules GLOBAL PROPERTY PORTA_MODULES)
    if(NOT modules)
        return()
    endif()
    add_library(porta STATIC)
    foreach(module IN LISTS modules)
        target_sources(porta PRIVATE $<TARGET_OBJECTS:porta_${module}_obj>)
    endforeach()
    target_link_libraries(porta PUBLIC porta_mbedtls)
    target_include_directories(porta INTERFACE
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
        "$<INSTALL_INTERFACE:include>")
endfunction()

# The target `product`: all that is declared so far, that is all that people use
# and `cmake --install` installs. Tests come later, and are most of a build.
function(porta_product)
    set(folders "${PROJECT_SOURCE_DIR}")
    set(product "")
    while(folders)
        list(POP_FRONT folders folder)
        get_property(below DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
        get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
        list(APPEND folders ${below})
        list(APPEND product ${targets})
    endwhile()
    add_custom_target(product)
    add_dependencies(product ${product})
endfunction()

# What makes a bootloader small; tools/boot_size.sh has the same.
set(PORTA_BOOT_FLAGS -flto -mtune=size -fno-tree-switch-conversion
    -fno-tree-coalesce-vars -fno-ipa-sra -fno-tree-loop-distribute-patterns)

# The sources of a bootloader's portable part, but for the table of chips.
function(porta_boot_path out)
    file(STRINGS "${PROJECT_SOURCE_DIR}/src/boot/boot_path.txt" names
        REGEX "^[^#]")
    list(TRANSFORM names PREPEND "${PROJECT_SOURCE_DIR}/src/")
    set(${out} "${names}" PARENT_SCOPE)
endfunction()
