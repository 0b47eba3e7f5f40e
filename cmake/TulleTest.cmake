# SPDX-License-Identifier: MPL-2.0
# How tests are declared. One executable per module; the name in CTest is <kind>.<name>, and the
# kind is also a label, so that "ctest -L unit" runs one kind.

if(TULLE_SANITIZE MATCHES "thread")
    set(TULLE_TEST_TIMEOUT_FACTOR 5)
elseif(TULLE_SANITIZE)
    set(TULLE_TEST_TIMEOUT_FACTOR 3)
else()
    set(TULLE_TEST_TIMEOUT_FACTOR 1)
endif()

set(TULLE_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=0"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp"
    "TULLE_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "TULLE_BIN_DIR=${PROJECT_BINARY_DIR}/bin"
)

# What every test in CTest has: labels, a deadline (longer under a sanitizer), the environment, and
# its turn: what may take long starts first, so that it is not left alone at the end.
#
# In it TULLE_BIN_DIR is the folder of the programs that were built and TULLE_SOURCE_DIR the tree.
function(tulle_test_properties test timeout)
    math(EXPR scaled "${timeout} * ${TULLE_TEST_TIMEOUT_FACTOR}")
    set_tests_properties(
        ${test}
        PROPERTIES
            TIMEOUT ${scaled}
            COST ${timeout}
            LABELS "${ARGN}"
            ENVIRONMENT "${TULLE_TEST_ENVIRONMENT}"
    )
endfunction()

# All tests over real sockets and threads, and so all that the thread sanitizer is for.
add_custom_target(tulle_integration_tests)

# How tests are compiled. They are not optimised as a whole, which is most of the time of a build:
# they are linked from the machine code that the objects of the library hold as well.
function(tulle_test_target_options target)
    tulle_target_options(${target})
    set_target_properties(
        ${target}
        PROPERTIES
            INTERPROCEDURAL_OPTIMIZATION_RELEASE OFF
            INTERPROCEDURAL_OPTIMIZATION_RELWITHDEBINFO OFF
    )
    target_link_options(${target} PRIVATE -fno-lto)
endfunction()

# tulle_add_test(<kind> <name> [SERIAL] [LABELS label...] [TIMEOUT seconds] [LINK target...]
#                [SOURCES] [file...])
#
# Builds test_<name> from test_<name>.c, or from the files given, and registers <kind>.<name>.
# Unit and sim tests link the engine only: no socket, no thread. Integration tests link the whole
# library with its internals. Proc tests run the programs, which are built first. LINK adds targets
# (tulle_app, say). SERIAL: nothing else runs meanwhile. TIMEOUT is 60 unless told.
function(tulle_add_test kind name)
    cmake_parse_arguments(PARSE_ARGV 2 arg "SERIAL" "TIMEOUT" "LABELS;LINK;SOURCES")
    set(target "test_${name}")
    if(TARGET ${target})
        set(target "test_${kind}_${name}")
    endif()
    set(sources ${arg_SOURCES} ${arg_UNPARSED_ARGUMENTS})
    if(NOT sources)
        set(sources "test_${name}.c")
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()

    add_executable(${target} ${sources})
    tulle_test_target_options(${target})
    target_link_libraries(${target} PRIVATE ${arg_LINK} tulle_testkit)
    if(kind STREQUAL "integration")
        target_link_libraries(${target} PRIVATE tulle_internal)
        add_dependencies(tulle_integration_tests ${target})
    elseif(kind STREQUAL "proc" AND TULLE_BUILD_APPS)
        add_dependencies(${target} tulle_programs)
    endif()

    add_test(NAME ${kind}.${name} COMMAND ${target})
    tulle_test_properties(${kind}.${name} ${arg_TIMEOUT} ${kind} ${arg_LABELS})
    if(arg_SERIAL)
        set_tests_properties(${kind}.${name} PROPERTIES RUN_SERIAL TRUE)
    endif()
endfunction()

# tulle_add_fuzz(<name> [LINK target...] [SOURCES] [file...])
#
# From fuzz_<name>.c, or the files given, which define LLVMFuzzerTestOneInput (tests/fuzz/fuzz.h):
# replay_<name>, registered as fuzz.<name>, runs every file of tests/fuzz/corpus/<name>/ in every
# preset; fuzz_<name> is the libFuzzer binary, built when TULLE_BUILD_FUZZ is on.
function(tulle_add_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK;SOURCES")
    set(sources ${arg_SOURCES} ${arg_UNPARSED_ARGUMENTS})
    if(NOT sources)
        set(sources "fuzz_${name}.c")
    endif()

    add_executable(replay_${name} "${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.c" ${sources})
    add_test(
        NAME fuzz.${name}
        COMMAND replay_${name} "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}"
    )
    tulle_test_properties(fuzz.${name} 60 fuzz)

    set(targets replay_${name})
    if(TULLE_BUILD_FUZZ)
        add_executable(fuzz_${name} ${sources})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        list(APPEND targets fuzz_${name})
    endif()
    foreach(target IN LISTS targets)
        tulle_test_target_options(${target})
        target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz")
        target_link_libraries(${target} PRIVATE ${arg_LINK} tulle_engine)
    endforeach()
endfunction()

# tulle_add_bench(<name> [LINK target...] [SOURCES] [file...])
#
# A program, not a test: prints lines "name key=value ..." and is run by hand from a release build.
function(tulle_add_bench name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK;SOURCES")
    set(sources ${arg_SOURCES} ${arg_UNPARSED_ARGUMENTS})
    if(NOT sources)
        set(sources "bench_${name}.c")
    endif()
    add_executable(bench_${name} ${sources})
    tulle_target_options(bench_${name})
    target_link_libraries(bench_${name} PRIVATE ${arg_LINK} tulle_engine)
endfunction()

# tulle_add_style(<name> <script> [argument...])
#
# A check of the sources: cmake/<script> with the root of the tree as its first argument. It ends
# with 77, after saying why, when the tool that it needs is not installed.
function(tulle_add_style name script)
    add_test(
        NAME style.${name}
        COMMAND "${PROJECT_SOURCE_DIR}/cmake/${script}" "${PROJECT_SOURCE_DIR}" ${ARGN}
    )
    tulle_test_properties(style.${name} 120 style)
    set_tests_properties(style.${name} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()
