# libporta.so: the library, the port and the runtime of applications in one,
# for programs that have their own main(). Mbed TLS is inside and not seen from
# outside. What starts an app_main() stays in the archives: a shared library
# that asks for it could not be linked without one.
#
# While the version begins with 0, each minor version is an interface of its
# own: the soname says so.
if(NOT PORTA_SHARED OR NOT TARGET porta_compat)
    return()
endif()

set(soversion "${PROJECT_VERSION_MAJOR}")
if(soversion EQUAL 0)
    set(soversion "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
endif()

get_property(modules GLOBAL PROPERTY PORTA_MODULES)
set(objects "$<FILTER:$<TARGET_OBJECTS:porta_compat>,EXCLUDE,/start\\.c>")
list(APPEND objects "$<TARGET_OBJECTS:porta_port_linux>")
foreach(module IN LISTS modules)
    list(APPEND objects "$<TARGET_OBJECTS:porta_${module}_obj>")
endforeach()

add_library(porta_shared SHARED ${objects})
set_target_properties(porta_shared PROPERTIES OUTPUT_NAME porta
    EXPORT_NAME shared VERSION "${PROJECT_VERSION}" SOVERSION "${soversion}"
    LINKER_LANGUAGE C LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/porta.map"
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
target_include_directories(porta_shared INTERFACE
    "$<INSTALL_INTERFACE:include>" "$<INSTALL_INTERFACE:include/porta-compat>")
target_link_libraries(porta_shared PRIVATE porta_mbedtls Threads::Threads)
# Not those of programs, which are position independent executables.
set_property(TARGET porta_shared PROPERTY LINK_OPTIONS "")
target_link_options(porta_shared PRIVATE
    "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/porta.map" -Wl,-z,defs)
