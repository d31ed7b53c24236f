# `make deb`: a Debian package of what `cmake --install` installs, made by
# CPack. The version is the project's, from the top CMakeLists.txt, alone.
#
# One package, not porta, libporta0.1 and libporta-dev: `porta build` compiles
# and links applications, so the command needs what the others would hold, and
# there is one file to install and to remove. A program that links libporta.so
# finds it by the shlibs file, as it would with three.
if(NOT TARGET porta_tool OR PORTA_SANITIZE OR PORTA_FUZZ)
    return()
endif()

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/porta" RENAME copyright)
install(FILES "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/porta")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME porta)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_VENDOR "porta")
set(CPACK_PACKAGE_CONTACT "the authors of porta <porta@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ${PORTA_SHARED})
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
# What `porta build` and programs that link the library need.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "cmake, ninja-build, gcc, libc6-dev, "
    "pkg-config, python3, python3-kconfiglib, ca-certificates")
string(CONCAT CPACK_DEBIAN_PACKAGE_RECOMMENDS
    ${CPACK_DEBIAN_PACKAGE_RECOMMENDS})
include(CPack)
