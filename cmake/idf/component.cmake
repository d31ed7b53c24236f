# What the CMakeLists.txt of a component may call.

# The files of SRC_DIRS, without those of EXCLUDE_SRCS.
function(porta_component_sources out)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" ""
        "SRCS;SRC_DIRS;EXCLUDE_SRCS")
    set(srcs ${arg_SRCS})
    foreach(dir IN LISTS arg_SRC_DIRS)
        get_filename_component(dir "${dir}" ABSOLUTE
            BASE_DIR "${CMAKE_CURRENT_LIST_DIR}")
        if(NOT IS_DIRECTORY "${dir}")
            porta_fail("${CMAKE_CURRENT_LIST_FILE}: SRC_DIRS names ${dir}, "
                "which is no folder")
        endif()
        file(GLOB found CONFIGURE_DEPENDS "${dir}/*.c" "${dir}/*.cpp"
            "${dir}/*.cc")
        list(APPEND srcs ${found})
    endforeach()
    foreach(file IN LISTS arg_EXCLUDE_SRCS)
        get_filename_component(file "${file}" ABSOLUTE
            BASE_DIR "${CMAKE_CURRENT_LIST_DIR}")
        list(REMOVE_ITEM srcs "${file}")
    endforeach()
    foreach(file IN LISTS srcs)
        get_filename_component(path "${file}" ABSOLUTE
            BASE_DIR "${CMAKE_CURRENT_LIST_DIR}")
        get_source_file_property(made "${path}" GENERATED)
        if(NOT EXISTS "${path}" AND NOT made)
            porta_fail("${CMAKE_CURRENT_LIST_FILE}: the source ${file} is not "
                "there")
        endif()
    endforeach()
    set(${out} "${srcs}" PARENT_SCOPE)
endfunction()

# REQUIRES: a component of the project is linked, one that is offered is there
# already, any other is an error.
function(porta_component_requires lib scope)
    get_property(names GLOBAL PROPERTY PORTA_COMPONENT_NAMES)
    get_property(cjson GLOBAL PROPERTY PORTA_CJSON_NAMES)
    foreach(name IN LISTS ARGN)
        string(REGEX REPLACE "^(idf::|.*__)" "" short "${name}")
        porta_component_offered(offered "${short}")
        if(short IN_LIST names)
            if(NOT "__idf_${short}" STREQUAL lib)
                target_link_libraries(${lib} ${scope} "__idf_${short}")
            endif()
        elseif(short IN_LIST cjson)
            porta_component_cjson("${CMAKE_CURRENT_LIST_FILE}" ${lib} ${scope}
                "${short}")
        elseif(NOT offered)
            porta_component_missing("${CMAKE_CURRENT_LIST_FILE}" "${name}")
        endif()
    endforeach()
endfunction()

# A source in C++ that was made, or that stands elsewhere: the project's own
# folder knows the language for those in the components' folders.
macro(porta_component_languages)
    get_property(porta_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if("${ARGN}" MATCHES "\\.(cpp|cc|cxx)(;|$)" AND
            NOT "CXX" IN_LIST porta_languages)
        enable_language(CXX)
    endif()
endmacro()

function(porta_component_flags lib)
    target_compile_features(${lib} PRIVATE c_std_17)
    set_target_properties(${lib} PROPERTIES C_EXTENSIONS ON)
    porta_app_flags(${lib})
endfunction()

macro(idf_component_register)
    cmake_parse_arguments(porta_reg "WHOLE_ARCHIVE" "KCONFIG;KCONFIG_PROJBUILD"
        "SRCS;SRC_DIRS;EXCLUDE_SRCS;INCLUDE_DIRS;PRIV_INCLUDE_DIRS;LDFRAGMENTS;REQUIRES;PRIV_REQUIRES;REQUIRED_IDF_TARGETS;EMBED_FILES;EMBED_TXTFILES"
        ${ARGN})
    if(porta_reg_UNPARSED_ARGUMENTS)
        porta_fail("${CMAKE_CURRENT_LIST_FILE}: idf_component_register() does "
            "not know: ${porta_reg_UNPARSED_ARGUMENTS}")
    endif()
    porta_component_sources(porta_srcs SRCS ${porta_reg_SRCS}
        SRC_DIRS ${porta_reg_SRC_DIRS} EXCLUDE_SRCS ${porta_reg_EXCLUDE_SRCS})
    porta_component_languages(${porta_srcs})
    set(COMPONENT_SOURCES "${porta_srcs}")
    porta_component_define()
endmacro()

# With the variables that idf_component_register() has set.
function(porta_component_define)
    set(lib "${COMPONENT_LIB}")
    set(scope PUBLIC)
    if(porta_srcs OR porta_reg_EMBED_FILES OR porta_reg_EMBED_TXTFILES)
        set(empty "${CMAKE_CURRENT_BINARY_DIR}/empty.c")
        file(CONFIGURE OUTPUT "${empty}" CONTENT "extern int porta_nothing;\n")
        add_library(${lib} STATIC ${porta_srcs} "${empty}")
        target_include_directories(${lib} PUBLIC ${porta_reg_INCLUDE_DIRS}
            PRIVATE ${porta_reg_PRIV_INCLUDE_DIRS})
        porta_component_flags(${lib})
        porta_component_requires(${lib} PRIVATE ${porta_reg_PRIV_REQUIRES})
    else()
        set(scope INTERFACE)
        add_library(${lib} INTERFACE)
        target_include_directories(${lib} INTERFACE ${porta_reg_INCLUDE_DIRS})
    endif()
    add_library(idf::${COMPONENT_NAME} ALIAS ${lib})
    set_property(GLOBAL PROPERTY PORTA_DIR_${COMPONENT_NAME} "${COMPONENT_DIR}")
    porta_component_requires(${lib} ${scope} ${porta_reg_REQUIRES})
    if(porta_reg_WHOLE_ARCHIVE)
        set_property(TARGET ${lib} PROPERTY PORTA_WHOLE_ARCHIVE ON)
    endif()
    foreach(file IN LISTS porta_reg_EMBED_FILES)
        target_add_binary_data(${lib} "${file}" BINARY)
    endforeach()
    foreach(file IN LISTS porta_reg_EMBED_TXTFILES)
        target_add_binary_data(${lib} "${file}" TEXT)
    endforeach()
    # main sees every other component, as in ESP-IDF.
    if(COMPONENT_NAME STREQUAL "main")
        get_property(names GLOBAL PROPERTY PORTA_COMPONENT_NAMES)
        porta_component_requires(${lib} PRIVATE ${names})
        get_property(cjson GLOBAL PROPERTY PORTA_CJSON_NAMES)
        foreach(name IN LISTS cjson)
            porta_component_cjson("" ${lib} PRIVATE "${name}")
        endforeach()
    endif()
endfunction()

# target_add_binary_data(<target> <file> TEXT|BINARY [RENAME_TO name]
#                        [DEPENDS file ...])
function(target_add_binary_data target file kind)
    cmake_parse_arguments(PARSE_ARGV 3 arg "" "RENAME_TO" "DEPENDS")
    if(NOT kind MATCHES "^(TEXT|BINARY)$")
        porta_fail("target_add_binary_data(${target} ${file} ${kind}): it is "
            "TEXT or BINARY")
    endif()
    get_filename_component(file "${file}" ABSOLUTE
        BASE_DIR "${CMAKE_CURRENT_LIST_DIR}")
    get_source_file_property(made "${file}" GENERATED)
    if(NOT EXISTS "${file}" AND NOT made AND NOT arg_DEPENDS)
        porta_fail("${CMAKE_CURRENT_LIST_FILE}: the file to embed, ${file}, "
            "is not there")
    endif()
    porta_embed(source "${file}" ${kind} "${arg_RENAME_TO}" ${arg_DEPENDS})
    target_sources(${target} PRIVATE "${source}")
endfunction()

# --- questions and properties ------------------------------------------------

function(idf_component_get_property out name property)
    if(property STREQUAL "COMPONENT_LIB")
        set(${out} "__idf_${name}" PARENT_SCOPE)
    elseif(property STREQUAL "COMPONENT_DIR")
        get_property(dir GLOBAL PROPERTY PORTA_DIR_${name})
        set(${out} "${dir}" PARENT_SCOPE)
    else()
        get_property(value GLOBAL PROPERTY PORTA_PROP_${name}_${property})
        set(${out} "${value}" PARENT_SCOPE)
    endif()
endfunction()

function(idf_component_set_property name property value)
    set_property(GLOBAL PROPERTY PORTA_PROP_${name}_${property} "${value}")
endfunction()

function(idf_build_get_property out property)
    set(value "")
    if(property STREQUAL "PROJECT_DIR")
        set(value "${CMAKE_SOURCE_DIR}")
    elseif(property STREQUAL "BUILD_DIR")
        set(value "${CMAKE_BINARY_DIR}")
    elseif(property STREQUAL "PROJECT_NAME")
        set(value "${CMAKE_PROJECT_NAME}")
    elseif(property STREQUAL "PROJECT_VER")
        set(value "${PROJECT_VER}")
    elseif(property MATCHES "^(IDF_PATH|IDF_TARGET|SDKCONFIG_HEADER|SDKCONFIG_CMAKE)$")
        set(value "${${property}}")
    elseif(property STREQUAL "PYTHON")
        set(value /usr/bin/python3)
    elseif(property STREQUAL "SDKCONFIG")
        set(value "${CMAKE_BINARY_DIR}/sdkconfig")
    elseif(property STREQUAL "EXECUTABLE")
        set(value "${CMAKE_PROJECT_NAME}.elf")
    elseif(property STREQUAL "BUILD_COMPONENTS")
        get_property(value GLOBAL PROPERTY PORTA_COMPONENT_NAMES)
    else()
        get_property(value GLOBAL PROPERTY PORTA_BUILD_${property})
    endif()
    set(${out} "${value}" PARENT_SCOPE)
endfunction()

# COMPILE_OPTIONS and the like reach every component that comes after.
function(idf_build_set_property property value)
    cmake_parse_arguments(PARSE_ARGV 2 arg "APPEND" "" "")
    if(arg_APPEND)
        set_property(GLOBAL APPEND PROPERTY PORTA_BUILD_${property} "${value}")
    else()
        set_property(GLOBAL PROPERTY PORTA_BUILD_${property} "${value}")
    endif()
endfunction()

function(idf_component_optional_requires scope)
    get_property(names GLOBAL PROPERTY PORTA_COMPONENT_NAMES)
    foreach(name IN LISTS ARGN)
        if(name IN_LIST names)
            target_link_libraries(${COMPONENT_LIB} ${scope} "__idf_${name}")
        endif()
    endforeach()
endfunction()

function(component_compile_options)
    target_compile_options(${COMPONENT_LIB} PRIVATE ${ARGV})
endfunction()

function(component_compile_definitions)
    target_compile_definitions(${COMPONENT_LIB} PRIVATE ${ARGV})
endfunction()

# The form of former releases: variables, then register_component().
macro(register_component)
    idf_component_register(SRCS ${COMPONENT_SRCS}
        SRC_DIRS ${COMPONENT_SRCDIRS} INCLUDE_DIRS ${COMPONENT_ADD_INCLUDEDIRS}
        PRIV_INCLUDE_DIRS ${COMPONENT_PRIV_INCLUDEDIRS}
        REQUIRES ${COMPONENT_REQUIRES} PRIV_REQUIRES ${COMPONENT_PRIV_REQUIRES}
        EMBED_FILES ${COMPONENT_EMBED_FILES}
        EMBED_TXTFILES ${COMPONENT_EMBED_TXTFILES})
endmacro()
