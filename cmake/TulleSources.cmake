# SPDX-License-Identifier: MPL-2.0
# Source lists live beside what they list, in sources.cmake files that each set one variable.

# Drop from the list variables named the files that do not exist yet, with a warning, and put an
# empty unit in place of an empty list. For a tree in which the areas grow at the same time.
function(tulle_present)
    foreach(name IN LISTS ARGN)
        set(present)
        foreach(file IN LISTS ${name})
            get_filename_component(path "${file}" ABSOLUTE)
            if(EXISTS "${path}")
                list(APPEND present "${file}")
            else()
                message(WARNING "${name} lists ${file}, which does not exist: run cmake again later")
            endif()
        endforeach()
        if(NOT present)
            set(present "${CMAKE_CURRENT_BINARY_DIR}/empty.c")
            file(CONFIGURE OUTPUT "${present}" CONTENT "typedef int tulle__empty;\n")
        endif()
        set(${name} "${present}" PARENT_SCOPE)
    endforeach()
endfunction()
