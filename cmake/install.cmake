# cmake --install: include/, lib/libporta.a, porta.pc, find_package(porta), and
# the shared library unless PORTA_SHARED is off: lib/libporta.so,
# porta-shared.pc, porta::shared; the command, its manual, completion.
#
# Mbed TLS is installed with its headers and our configuration, under names
# of our own, so that an installed Mbed TLS is neither hidden nor mistaken.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(NOT TARGET porta)
    return()
endif()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/porta")
set(libs porta)
set(link -lporta)

# What an application on Linux links besides the library, if it was built.
# The archives use each other in circles, so pkg-config names them as a group.
set(PORTA_PC_CFLAGS "")
foreach(lib porta_compat porta_port_linux)
    if(TARGET ${lib})
        list(PREPEND libs ${lib})
        list(PREPEND link "-l${lib}")
    endif()
endforeach()
list(PREPEND link "-Wl,--start-group")
if(TARGET porta_compat)
    set(compat_dir "${CMAKE_INSTALL_INCLUDEDIR}/porta-compat")
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/compat/include/"
        DESTINATION "${compat_dir}" FILES_MATCHING PATTERN "*.h")
    string(APPEND PORTA_PC_CFLAGS " -I\${includedir}/porta-compat")
    target_include_directories(porta_compat PUBLIC
        "$<INSTALL_INTERFACE:${compat_dir}>")
endif()

# Our configuration takes the place of Mbed TLS's default one.
list(APPEND libs porta_mbedtls)
if(PORTA_MBEDTLS STREQUAL "source")
    set(mbedtls_dir "${CMAKE_INSTALL_INCLUDEDIR}/porta-mbedtls")
    list(APPEND link -lporta_mbedtls)
    foreach(folder mbedtls psa)
        install(DIRECTORY "${PORTA_MBEDTLS_DIR}/include/${folder}"
            DESTINATION "${mbedtls_dir}" FILES_MATCHING PATTERN "*.h"
            PATTERN "mbedtls_config.h" EXCLUDE)
    endforeach()
    install(FILES "${PROJECT_SOURCE_DIR}/cmake/mbedtls_config_host.h"
        DESTINATION "${mbedtls_dir}/mbedtls" RENAME mbedtls_config.h)
    target_include_directories(porta_mbedtls SYSTEM PUBLIC
        "$<INSTALL_INTERFACE:${mbedtls_dir}>")
    string(APPEND PORTA_PC_CFLAGS " -I\${includedir}/porta-mbedtls")
else()
    list(APPEND link -lmbedtls -lmbedx509 -lmbedcrypto)
endif()
# By file name: -lporta would be the shared library when both are there.
list(TRANSFORM link REPLACE "^-lporta$" "-l:libporta.a")
list(APPEND link "-Wl,--end-group" -pthread)
list(JOIN link " " PORTA_PC_LIBS)

# A folder that a target names for its users is for users inside the build.
foreach(lib IN LISTS libs)
    get_target_property(folders ${lib} INTERFACE_INCLUDE_DIRECTORIES)
    if(folders)
        list(TRANSFORM folders REPLACE "^(/.*)$" "$<BUILD_INTERFACE:\\1>")
        set_target_properties(${lib} PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${folders}")
    endif()
endforeach()

install(TARGETS ${libs} EXPORT porta-targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT porta-targets NAMESPACE porta:: DESTINATION "${package_dir}")
# The same for the build folder, where `porta build` looks first.
set(build_package "${PROJECT_BINARY_DIR}/lib/cmake/porta")
export(EXPORT porta-targets NAMESPACE porta::
    FILE "${build_package}/porta-targets.cmake")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/porta-config.cmake.in"
    "${PORTA_GENERATED_DIR}/package/porta-config.cmake"
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PORTA_GENERATED_DIR}/package/porta-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/porta-config.cmake.in"
    "${build_package}/porta-config.cmake" INSTALL_DESTINATION lib/cmake/porta
    INSTALL_PREFIX "${PROJECT_BINARY_DIR}")
configure_file("${PORTA_GENERATED_DIR}/package/porta-config-version.cmake"
    "${build_package}/porta-config-version.cmake" COPYONLY)
install(FILES "${PORTA_GENERATED_DIR}/package/porta-config.cmake"
    "${PORTA_GENERATED_DIR}/package/porta-config-version.cmake"
    DESTINATION "${package_dir}")

if(TARGET porta_shared)
    install(TARGETS porta_shared EXPORT porta-targets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()

# Relative to the .pc file: the prefix may be chosen when installing.
file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" up "${up}")
set(PORTA_PC_PREFIX "\${pcfiledir}/${up}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/porta.pc.in"
    "${PROJECT_BINARY_DIR}/porta.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/porta.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(TARGET porta_shared)
    set(PORTA_PC_LIBS -lporta)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/porta.pc.in"
        "${PROJECT_BINARY_DIR}/porta-shared.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/porta-shared.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endif()

# What is made of the table of verbs and options: see apps/porta/cli_table.h.
if(TARGET porta_tool)
    set(help_dir "${PROJECT_BINARY_DIR}/share/porta-help")
    install(DIRECTORY "${help_dir}/man1" DESTINATION "${CMAKE_INSTALL_MANDIR}")
    install(FILES "${help_dir}/bash/porta"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
    install(FILES "${help_dir}/zsh/_porta"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
endif()

include(idf_tree)
