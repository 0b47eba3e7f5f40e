# SPDX-License-Identifier: MPL-2.0

add_custom_target(tulle_programs)

# tulle_add_program(<name> <file>...): a program, in bin/ of the build folder. It links lib/app and,
# through that, the public library, and nothing else.
function(tulle_add_program name)
    if(NOT ARGN)
        return()
    endif()
    add_executable(${name} ${ARGN})
    tulle_target_options(${name})
    # "tools/x.h" or "x.h" for the program's own headers.
    target_include_directories(
        ${name} PRIVATE "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}"
    )
    target_link_libraries(${name} PRIVATE tulle_app)
    set_target_properties(
        ${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin"
    )
    add_dependencies(tulle_programs ${name})
    install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()
