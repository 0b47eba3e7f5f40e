# SPDX-License-Identifier: MPL-2.0
# What a user of the library finds: headers, library, CMake package and pkg-config file.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/tulle")
install(
    TARGETS tulle
    EXPORT tulle-targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
)
install(EXPORT tulle-targets NAMESPACE tulle:: DESTINATION "${package_dir}")
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/tulle-config.cmake.in"
    "${PROJECT_BINARY_DIR}/tulle-config.cmake"
    INSTALL_DESTINATION "${package_dir}"
)
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/tulle-config-version.cmake" COMPATIBILITY SameMinorVersion
)
install(
    FILES
        "${PROJECT_BINARY_DIR}/tulle-config.cmake"
        "${PROJECT_BINARY_DIR}/tulle-config-version.cmake"
    DESTINATION "${package_dir}"
)

# The prefix is written relative to the .pc file, because "cmake --install --prefix" may move it.
# With the shared library nobody needs to know what it links. With the static one the private
# dependencies are named as public ones: "pkg-config --static" asks for archives that
# distributions do not ship.
file(
    RELATIVE_PATH
    TULLE_PC_PREFIX
    "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig"
    "${CMAKE_INSTALL_PREFIX}"
)
if(BUILD_SHARED_LIBS)
    set(TULLE_PC_REQUIRES "")
    set(TULLE_PC_LIBS "")
else()
    set(TULLE_PC_REQUIRES "Requires: libczmq libzmq ${MSGPACK_MODULE_NAME}")
    set(TULLE_PC_LIBS "${CMAKE_THREAD_LIBS_INIT}")
endif()
configure_file(
    "${PROJECT_SOURCE_DIR}/cmake/tulle.pc.in" "${PROJECT_BINARY_DIR}/tulle.pc" @ONLY
)
install(FILES "${PROJECT_BINARY_DIR}/tulle.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
