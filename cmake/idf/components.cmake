# Which components a project has, and what is offered of ESP-IDF's.

# Names of ESP-IDF's components whose headers are there, all in one library.
set(PORTA_OFFERED app_update bootloader_support cjson driver efuse esp-tls
    esp_app_format esp_bootloader_format esp_common esp_driver_gpio esp_encrypted_img esp_event
    esp_hw_support esp_http_client esp_https_ota esp_netif esp_partition
    esp_security esp_system esp_timer esp_wifi freertos heap json log lwip mbedtls
    newlib nvs_flash partition_table protocol_examples_common soc spi_flash
    tcp_transport)
# Named by applications that do without them on a host.
set(PORTA_ACCEPTED bootloader bt cmock esp_coex esp_eth esp_libc esp_phy
    esp_psram esp_ringbuf esp_rom esptool_py hal idf_test linux
    protocomm pthread unity vfs wpa_supplicant xtensa riscv)

function(porta_component_offered out name)
    string(REGEX REPLACE "^.*(__|/)" "" short "${name}")
    set(${out} OFF PARENT_SCOPE)
    if(short IN_LIST PORTA_OFFERED OR short IN_LIST PORTA_ACCEPTED)
        set(${out} ON PARENT_SCOPE)
    endif()
endfunction()

function(porta_component_missing who name)
    list(JOIN PORTA_OFFERED ", " offered)
    porta_fail("${who} asks for the component '${name}', which is neither in "
        "this project nor offered here. Offered are: ${offered}")
endfunction()

# A component is a folder with a CMakeLists.txt; a folder without one is a
# folder of components.
function(porta_components_in out dir)
    set(dirs "")
    if(EXISTS "${dir}/CMakeLists.txt")
        set(dirs "${dir}")
    else()
        file(GLOB files "${dir}/*/CMakeLists.txt")
        foreach(file IN LISTS files)
            get_filename_component(dir "${file}" DIRECTORY)
            list(APPEND dirs "${dir}")
        endforeach()
    endif()
    set(${out} "${dirs}" PARENT_SCOPE)
endfunction()

# A folder of ESP-IDF itself that is offered is left out: it is in the library.
function(porta_components_extra out dir)
    set(${out} "" PARENT_SCOPE)
    get_filename_component(dir "${dir}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
    string(FIND "${dir}/" "${PORTA_IDF_DIR}/" at)
    get_filename_component(name "${dir}" NAME)
    porta_component_offered(offered "${name}")
    if(at EQUAL 0 AND (offered OR name STREQUAL "common_components"))
        return()
    elseif(at EQUAL 0)
        porta_component_missing("EXTRA_COMPONENT_DIRS" "${name}")
    elseif(NOT IS_DIRECTORY "${dir}")
        porta_fail("EXTRA_COMPONENT_DIRS names ${dir}, which is no folder")
    endif()
    porta_components_in(found "${dir}")
    set(${out} "${found}" PARENT_SCOPE)
endfunction()

# idf_component.yml: what it asks the component registry for must be here
# already, because nothing is downloaded.
function(porta_component_manifest dir)
    set(file "${dir}/idf_component.yml")
    if(NOT EXISTS "${file}")
        return()
    endif()
    set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY
        CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" lines)
    set(inside OFF)
    foreach(line IN LISTS lines)
        if(line MATCHES "^[^ #]")
            set(inside OFF)
        endif()
        if(line MATCHES "^dependencies:")
            set(inside ON)
        elseif(inside AND line MATCHES "^  ['\"]?([A-Za-z0-9_./-]+)['\"]?:")
            porta_component_wanted("${file}" "${CMAKE_MATCH_1}")
        endif()
    endforeach()
endfunction()

function(porta_component_wanted who name)
    string(REGEX REPLACE "^.*/" "" short "${name}")
    get_property(names GLOBAL PROPERTY PORTA_COMPONENT_NAMES)
    porta_component_offered(offered "${name}")
    if(offered OR name STREQUAL "idf" OR short IN_LIST names)
        return()
    endif()
    porta_component_missing("${who}" "${name}")
endfunction()

# Folders that the manifest of a component names with path: or override_path:,
# relative to the component; those of ESP-IDF itself are in the library.
function(porta_component_paths out dir)
    set(found "")
    if(EXISTS "${dir}/idf_component.yml")
        file(STRINGS "${dir}/idf_component.yml" lines
            REGEX "^ +(override_)?path:")
        foreach(line IN LISTS lines)
            string(REGEX REPLACE "^ +[a-z_]*path: *['\"]?([^'\"#]*).*" "\\1" path
                "${line}")
            string(STRIP "${path}" path)
            if(path MATCHES "IDF_PATH")
                continue()
            endif()
            get_filename_component(path "${path}" ABSOLUTE BASE_DIR "${dir}")
            if(NOT EXISTS "${path}/CMakeLists.txt")
                porta_fail("${dir}/idf_component.yml names the folder ${path}, "
                    "which is no component: it has no CMakeLists.txt")
            endif()
            list(APPEND found "${path}")
        endforeach()
    endif()
    set(${out} "${found}" PARENT_SCOPE)
endfunction()

# What is in dirs, and what those name, and so on.
function(porta_components_named out)
    set(all "${ARGN}")
    set(next "${ARGN}")
    while(next)
        list(POP_FRONT next dir)
        porta_component_paths(found "${dir}")
        foreach(path IN LISTS found)
            if(NOT path IN_LIST all)
                list(PREPEND all "${path}")
                list(APPEND next "${path}")
            endif()
        endforeach()
    endwhile()
    set(${out} "${all}" PARENT_SCOPE)
endfunction()

function(porta_components_find)
    set(dirs "")
    foreach(dir IN LISTS EXTRA_COMPONENT_DIRS)
        porta_components_extra(found "${dir}")
        list(APPEND dirs ${found})
    endforeach()
    foreach(dir components managed_components)
        porta_components_in(found "${CMAKE_SOURCE_DIR}/${dir}")
        list(APPEND dirs ${found})
    endforeach()
    if(EXISTS "${CMAKE_SOURCE_DIR}/main/CMakeLists.txt")
        list(APPEND dirs "${CMAKE_SOURCE_DIR}/main")
    endif()
    list(REMOVE_DUPLICATES dirs)
    porta_components_named(dirs ${dirs})
    if(NOT dirs)
        porta_fail("${CMAKE_SOURCE_DIR} has no component: neither "
            "main/CMakeLists.txt nor a folder in components/")
    endif()
    set(names "")
    foreach(dir IN LISTS dirs)
        get_filename_component(name "${dir}" NAME)
        string(REGEX REPLACE "^.*__" "" name "${name}")
        list(APPEND names "${name}")
    endforeach()
    set_property(GLOBAL PROPERTY PORTA_COMPONENT_DIRS "${dirs}")
    set_property(GLOBAL PROPERTY PORTA_COMPONENT_NAMES "${names}")
    foreach(dir IN LISTS dirs)
        porta_component_manifest("${dir}")
    endforeach()
endfunction()

# A program is linked as the language wants that is known in the project's own
# folder: without this one in C++ would miss its runtime. Called as a macro, for
# that folder, and before the components; it takes time, so only where there is
# a source in C++.
macro(porta_components_languages)
    get_property(porta_dirs GLOBAL PROPERTY PORTA_COMPONENT_DIRS)
    set(porta_cpp "")
    foreach(porta_dir IN LISTS porta_dirs)
        file(GLOB_RECURSE porta_found "${porta_dir}/*.cpp" "${porta_dir}/*.cc"
            "${porta_dir}/*.cxx")
        list(APPEND porta_cpp ${porta_found})
    endforeach()
    get_property(porta_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(porta_cpp AND NOT "CXX" IN_LIST porta_languages)
        enable_language(CXX)
    endif()
endmacro()

# cJSON is the machine's, under both names that releases have for it. Only a
# program that calls it is linked with it.
function(porta_components_cjson)
    find_path(PORTA_CJSON_DIR cJSON.h PATH_SUFFIXES cjson)
    find_library(PORTA_CJSON_LIB cjson)
    if(NOT PORTA_CJSON_DIR OR NOT PORTA_CJSON_LIB)
        return()
    endif()
    set(link "-Wl,--push-state,--as-needed,${PORTA_CJSON_LIB},--pop-state")
    foreach(name IN LISTS ARGN)
        target_include_directories("__idf_${name}" SYSTEM INTERFACE
            "${PORTA_CJSON_DIR}")
        target_link_libraries("__idf_${name}" INTERFACE "${link}")
    endforeach()
endfunction()

# lib has it in its REQUIRES, or is main, which sees all that is there.
function(porta_component_cjson who lib scope name)
    if(PORTA_CJSON_LIB AND PORTA_CJSON_DIR)
        target_link_libraries(${lib} ${scope} "__idf_${name}")
    elseif(NOT who STREQUAL "")
        porta_fail("${who} asks for the component '${name}', which is cJSON of "
            "this machine: install libcjson-dev")
    endif()
endfunction()

# idf::NAME of what is offered, for those who link it by hand. All of it is in
# the library that every component links, so there is nothing behind it.
function(porta_components_offer)
    get_property(names GLOBAL PROPERTY PORTA_COMPONENT_NAMES)
    foreach(name IN LISTS PORTA_OFFERED PORTA_ACCEPTED)
        if(NOT name IN_LIST names)
            add_library("__idf_${name}" INTERFACE)
            add_library("idf::${name}" ALIAS "__idf_${name}")
        endif()
    endforeach()
    set(cjson cjson json)
    list(REMOVE_ITEM cjson ${names})
    set_property(GLOBAL PROPERTY PORTA_CJSON_NAMES "${cjson}")
    porta_components_cjson(${cjson})
endfunction()

# Each in a scope of its own, as add_subdirectory() makes one.
function(porta_components_add)
    porta_components_offer()
    get_property(dirs GLOBAL PROPERTY PORTA_COMPONENT_DIRS)
    foreach(dir IN LISTS dirs)
        get_filename_component(name "${dir}" NAME)
        string(REGEX REPLACE "^.*__" "" name "${name}")
        set(COMPONENT_NAME "${name}")
        set(COMPONENT_DIR "${dir}")
        set(COMPONENT_PATH "${dir}")
        set(COMPONENT_TARGET "__idf_${name}")
        set(COMPONENT_LIB "__idf_${name}")
        set(COMPONENT_ALIAS "idf::${name}")
        set(PROJECT_DIR "${CMAKE_SOURCE_DIR}")
        set(BUILD_DIR "${CMAKE_BINARY_DIR}")
        add_subdirectory("${dir}" "${CMAKE_BINARY_DIR}/esp-idf/${name}")
        if(NOT TARGET "__idf_${name}")
            porta_fail("${dir}/CMakeLists.txt registers no component: it must "
                "call idf_component_register()")
        endif()
    endforeach()
endfunction()
