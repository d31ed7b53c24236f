# share/porta/idf: what $ENV{IDF_PATH} names for an ESP-IDF project. In the
# build folder it is made of links, so that `porta build` works before
# anything is installed; installed it is a copy.

set(PORTA_IDF_FILES Kconfig sdkconfig.rename compat/Kconfig
    compat/Kconfig.projbuild)
file(GLOB kconfigs CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}"
    "${PROJECT_SOURCE_DIR}/src/*/Kconfig")
list(APPEND PORTA_IDF_FILES ${kconfigs})

set(idf_tree "${PROJECT_BINARY_DIR}/share/porta/idf")
foreach(file IN LISTS PORTA_IDF_FILES)
    get_filename_component(folder "${file}" DIRECTORY)
    file(MAKE_DIRECTORY "${idf_tree}/${folder}")
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${file}" "${idf_tree}/${file}"
        SYMBOLIC)
    install(FILES "${file}" DESTINATION "share/porta/idf/${folder}")
endforeach()
# Projects name this one by their chip.
foreach(chip esp32 esp32s2 esp32s3 esp32c2 esp32c3 esp32c5 esp32c6 esp32c61
        esp32h2 esp32p4 linux)
    set(folder examples/common_components/env_caps/${chip})
    file(MAKE_DIRECTORY "${idf_tree}/${folder}")
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/compat/Kconfig.env_caps"
        "${idf_tree}/${folder}/Kconfig.env_caps" SYMBOLIC)
    install(FILES compat/Kconfig.env_caps
        DESTINATION "share/porta/idf/${folder}")
endforeach()
# What `porta build` tells an application that includes something else.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/include/*.h")
file(GLOB_RECURSE more CONFIGURE_DEPENDS RELATIVE
    "${PROJECT_SOURCE_DIR}/compat/include"
    "${PROJECT_SOURCE_DIR}/compat/include/*.h")
list(APPEND headers ${more} "mbedtls/*.h" "psa/*.h")
list(SORT headers)
list(JOIN headers ", " headers)
file(CONFIGURE OUTPUT "${idf_tree}/headers.txt" CONTENT "${headers}\n" @ONLY)
install(FILES "${idf_tree}/headers.txt" DESTINATION share/porta/idf)
file(MAKE_DIRECTORY "${idf_tree}/tools")
file(CREATE_LINK "${PROJECT_SOURCE_DIR}/cmake/idf" "${idf_tree}/tools/cmake"
    SYMBOLIC)
file(CREATE_LINK "${PROJECT_SOURCE_DIR}/tools/project"
    "${idf_tree}/tools/project" SYMBOLIC)
install(DIRECTORY cmake/idf/ DESTINATION share/porta/idf/tools/cmake)
install(DIRECTORY tools/project DESTINATION share/porta/idf/tools
    FILES_MATCHING PATTERN "*.py")

# What a project must do as the library did. An installed library is for any
# compiler, so there only its place is said.
set(build "set(PORTA_LIB_DIR lib)\n")
string(APPEND build "set(PORTA_SANITIZERS ${PORTA_SANITIZERS})\n")
string(APPEND build "if(NOT CMAKE_C_COMPILER AND NOT DEFINED ENV{CC})\n"
    "    set(CMAKE_C_COMPILER \"${CMAKE_C_COMPILER}\")\nendif()\n")
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/share/porta/build.cmake"
    CONTENT "${build}" @ONLY)
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/build-installed.cmake"
    CONTENT "set(PORTA_LIB_DIR \"${CMAKE_INSTALL_LIBDIR}\")\n" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/generated/build-installed.cmake"
    DESTINATION share/porta RENAME build.cmake)
