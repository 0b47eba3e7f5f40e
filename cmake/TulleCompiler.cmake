# SPDX-License-Identifier: MPL-2.0
# tulle_options: the language level, warnings, hardening and sanitizers of everything we compile.
# An INTERFACE target, so that nothing has to write to CMAKE_C_FLAGS.

add_library(tulle_options INTERFACE)
target_compile_features(tulle_options INTERFACE c_std_11)
target_compile_definitions(tulle_options INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(
    tulle_options
    INTERFACE
        -Wall
        -Wextra
        -Wpedantic
        -Wshadow
        -Wconversion
        -Wsign-conversion
        -Wstrict-prototypes
        -Wmissing-prototypes
        -Wold-style-definition
        -Wformat=2
        -Wundef
        -Wvla
        -Wswitch-enum
        -Wcast-qual
        -Wpointer-arith
        -Wwrite-strings
        $<$<C_COMPILER_ID:GNU>:-Wlogical-op>
        $<$<C_COMPILER_ID:GNU>:-Wduplicated-cond>
        $<$<C_COMPILER_ID:GNU>:-Wnull-dereference>
        $<$<BOOL:${TULLE_WERROR}>:-Werror>
        -fno-common
        -fno-omit-frame-pointer
        -fstack-protector-strong
)
# Link-time optimisation warns as well.
target_link_options(
    tulle_options
    INTERFACE
        -Wl,-z,relro
        -Wl,-z,now
        $<$<AND:$<BOOL:${TULLE_WERROR}>,$<C_COMPILER_ID:GNU>>:-Werror>
)

if(TULLE_SANITIZE)
    target_compile_options(
        tulle_options INTERFACE -fsanitize=${TULLE_SANITIZE} -fno-sanitize-recover=all
    )
    target_link_options(tulle_options INTERFACE -fsanitize=${TULLE_SANITIZE})
else()
    # The sanitizers intercept the same calls and know more about them.
    target_compile_definitions(
        tulle_options INTERFACE $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:_FORTIFY_SOURCE=2>
    )
endif()

# Optimised builds are optimised as a whole: what an event passes is small functions of many
# files. Objects stay good for linkers that do not know of it.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT TULLE_SANITIZE)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT TULLE_HAS_IPO OUTPUT tulle_ipo_output LANGUAGES C)
endif()

# How each of our targets is compiled. Extensions off gives -std=c11, not gnu11.
function(tulle_target_options target)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:tulle_options>)
    set_target_properties(
        ${target}
        PROPERTIES
            C_STANDARD 11
            C_STANDARD_REQUIRED ON
            C_EXTENSIONS OFF
            C_VISIBILITY_PRESET hidden
            POSITION_INDEPENDENT_CODE ON
    )
    if(TULLE_HAS_IPO)
        set_target_properties(
            ${target}
            PROPERTIES
                INTERPROCEDURAL_OPTIMIZATION_RELEASE ON
                INTERPROCEDURAL_OPTIMIZATION_RELWITHDEBINFO ON
        )
        target_compile_options(
            ${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-ffat-lto-objects>
        )
    endif()
endfunction()

# The version stands in two places, because the header is installed as it is: they must agree.
function(tulle_check_version header)
    file(STRINGS "${header}" line REGEX "^#define TULLE_VERSION +\"")
    string(REGEX REPLACE "^#define TULLE_VERSION +\"([^\"]*)\".*" "\\1" found "${line}")
    if(NOT found STREQUAL PROJECT_VERSION)
        message(FATAL_ERROR "${header} says version \"${found}\", CMakeLists.txt ${PROJECT_VERSION}")
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
endfunction()
