# Run as: cmake -D ROOT=<repo> -D NVCC=<nvcc> -D FILT=<c++filt> -P check_budgets.cmake
# Compiles every kernel for each of the architectures below and compares what ptxas says with
# kernels/budgets.tsv. Fails for a kernel that is over its budget, has spills or a stack frame, or is
# missing on either side.
cmake_minimum_required(VERSION 3.22)

set(architectures sm_80 sm_90)

# A variable per kernel and column, called after a hash: the kernel's name has brackets.
file(STRINGS "${ROOT}/kernels/budgets.tsv" lines REGEX "^[^#]")
set(budgeted "")
foreach(line IN LISTS lines)
  if(NOT line MATCHES "^([^\t]+)\t([0-9]+)\t([0-9]+)\t([0-9]+)$")
    message(FATAL_ERROR "kernels/budgets.tsv: cannot read '${line}'")
  endif()
  list(APPEND budgeted "${CMAKE_MATCH_1}")
  string(REPLACE "\t" ";" columns "${line}")
  string(MD5 key "${CMAKE_MATCH_1}")
  list(GET columns 1 registers_sm_80_${key})
  list(GET columns 2 registers_sm_90_${key})
  list(GET columns 3 shared_${key})
endforeach()

set(targets "")
foreach(architecture IN LISTS architectures)
  string(REPLACE sm_ compute_ virtual "${architecture}")
  list(APPEND targets -gencode "arch=${virtual},code=${architecture}")
endforeach()

set(compiled "")
file(GLOB sources "${ROOT}/kernels/*.cu")
foreach(source IN LISTS sources)
  execute_process(
    COMMAND "${NVCC}" -std=c++20 ${targets} -fatbin --threads 2 -Xptxas -v -Werror all-warnings
            "-I${ROOT}" "${source}" -o /dev/null
    RESULT_VARIABLE status OUTPUT_VARIABLE report ERROR_VARIABLE report)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${source}:\n${report}")
  endif()

  string(REGEX MATCHALL
    "entry function '[^']+'[^']*'sm_[0-9]+'[^']*frame, [0-9]+ bytes spill stores, [0-9]+ bytes spill loads[^']*Used [0-9]+ registers[^\n]*"
    entries "${report}")
  foreach(entry IN LISTS entries)
    string(REGEX MATCH "entry function '([^']+)' for '([^']+)'" _ "${entry}")
    set(architecture "${CMAKE_MATCH_2}")
    execute_process(COMMAND "${FILT}" "${CMAKE_MATCH_1}" OUTPUT_VARIABLE name)
    # "void fovea::kernels::(anonymous namespace)::top_k<true, 4>(...)" becomes "top_k<true, 4>".
    string(REGEX REPLACE "\\(anonymous namespace\\)::|[A-Za-z0-9_]+::|^void |\n" "" name "${name}")
    string(REGEX REPLACE "\\(.*$" "" kernel "${name}")
    list(APPEND compiled "${kernel}")

    string(REGEX MATCH "([0-9]+) bytes stack frame, ([0-9]+) bytes spill stores" _ "${entry}")
    set(frame "${CMAKE_MATCH_1}")
    set(spilled "${CMAKE_MATCH_2}")
    string(REGEX MATCH "Used ([0-9]+) registers" _ "${entry}")
    set(registers "${CMAKE_MATCH_1}")
    set(shared 0)
    if(entry MATCHES "([0-9]+) bytes smem")
      set(shared "${CMAKE_MATCH_1}")
    endif()
    message(STATUS "${kernel}\t${architecture}\t${registers}\t${shared}")

    if(NOT frame EQUAL 0 OR NOT spilled EQUAL 0)
      message(SEND_ERROR
        "${kernel} on ${architecture}: ${spilled} bytes spilled, ${frame} bytes of stack frame")
    endif()
    string(MD5 key "${kernel}")
    if(NOT kernel IN_LIST budgeted)
      message(SEND_ERROR "${kernel} (${registers} registers on ${architecture}, ${shared} bytes) is "
        "not in kernels/budgets.tsv")
    elseif(registers GREATER registers_${architecture}_${key} OR shared GREATER shared_${key})
      message(SEND_ERROR
        "${kernel} has ${registers} registers on ${architecture} and ${shared} bytes of shared memory; "
        "its budget is ${registers_${architecture}_${key}} and ${shared_${key}}")
    endif()
  endforeach()
endforeach()

foreach(kernel IN LISTS budgeted)
  if(NOT kernel IN_LIST compiled)
    message(SEND_ERROR "kernels/budgets.tsv names '${kernel}', which no file has")
  endif()
endforeach()
