# Target helpers: every target of the project is made by one of these functions,
# so flags live in one place and never in CMAKE_CXX_FLAGS.

add_library(fovea_options INTERFACE)
target_compile_features(fovea_options INTERFACE cxx_std_20)
target_include_directories(fovea_options INTERFACE
  "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/engine/include")
# The property FOVEA_PLAIN: a target whose own code takes longer to optimise than it runs.
# -ffp-contract=off: goldens are defined step by step in float32, and gcc would fuse a*b+c otherwise.
target_compile_options(fovea_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow
                            -Wnon-virtual-dtor -Wold-style-cast -ffp-contract=off>
  $<$<COMPILE_LANGUAGE:CXX>:$<IF:$<BOOL:$<TARGET_PROPERTY:FOVEA_PLAIN>>,-O0,$<$<CONFIG:Debug>:-O1>>>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra --generate-line-info>)
# Hardening. _FORTIFY_SOURCE needs optimisation and confuses the sanitizers; tests/lint/hardening.sh
# looks at the result.
target_compile_options(fovea_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-fstack-protector-strong>)
target_compile_definitions(fovea_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
target_link_options(fovea_options INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(fovea_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fcf-protection>)
endif()
if(NOT FOVEA_SANITIZE)
  target_compile_options(fovea_options INTERFACE
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release>,$<NOT:$<BOOL:$<TARGET_PROPERTY:FOVEA_PLAIN>>>>:
      -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
endif()

option(FOVEA_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
if(FOVEA_WARNINGS_AS_ERRORS)
  target_compile_options(fovea_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
# -g1: reports need functions and lines; the rest of the debug information is a fifth of the build.
if(FOVEA_SANITIZE)
  list(JOIN FOVEA_SANITIZE "," _sanitizers)
  target_compile_options(fovea_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${_sanitizers} -fno-sanitize-recover=all
                              -fno-omit-frame-pointer -g1>)
  target_link_options(fovea_options INTERFACE -fsanitize=${_sanitizers})
endif()

# fovea_layer(<name> SOURCES ... DEPS ... [PRIVATE_DEPS ...]): one static library per layer.
function(fovea_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(fovea_${name} STATIC ${ARG_SOURCES})
  add_library(fovea::${name} ALIAS fovea_${name})
  target_link_libraries(fovea_${name} PUBLIC fovea_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  set_target_properties(fovea_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# fovea_test(<name> SOURCES ... DEPS ... LABELS ... [TIMEOUT s] [ALSO_ON <isa>...]): one binary,
# one ctest entry per case, and one more for each oneDNN instruction set, avx2/<case>, with what the
# CPU backend offers on such a processor.
# The target fovea_tests_<label> builds every test of that label.
function(fovea_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS;ALSO_ON" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  # gtest_discover_tests takes a second label for the name of a property, and loses what follows.
  list(LENGTH ARG_LABELS labels)
  if(NOT labels EQUAL 1)
    message(FATAL_ERROR "${name}: a test has exactly one label, not '${ARG_LABELS}'")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE fovea_options GTest::gtest_main ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES FOVEA_PLAIN ON)
  if(TARGET fovea_test_headers)
    target_precompile_headers(${name} REUSE_FROM fovea_test_headers)
  endif()
  target_compile_definitions(${name} PRIVATE FOVEA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # An allocation that cannot be had is an answer that tests ask for, under AddressSanitizer too.
  set(properties LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT_MODIFICATION "ASAN_OPTIONS=set:allocator_may_return_null=1")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES ${properties})
  foreach(isa IN LISTS ARG_ALSO_ON)
    string(TOLOWER ${isa} prefix)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX ${prefix}/
      PROPERTIES ${properties} ENVIRONMENT "ONEDNN_MAX_CPU_ISA=${isa}")
  endforeach()
  foreach(label IN LISTS ARG_LABELS)
    if(NOT TARGET fovea_tests_${label})
      add_custom_target(fovea_tests_${label})
    endif()
    add_dependencies(fovea_tests_${label} ${name})
  endforeach()
endfunction()

function(fovea_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE fovea_options benchmark::benchmark_main ${ARG_DEPS})
endfunction()
