# The headers of libraries that the CUDA backend loads at run time, for the tables of their functions:
# sets FOVEA_HAVE_CUDNN_HEADERS and FOVEA_HAVE_CUBLASLT_HEADERS, and makes the targets cudnn_headers
# and cublaslt_headers. Neither is there where the toolkit's own headers are not.

# fovea_find_cuda_header(<library> <header> <what is missing without it>)
function(fovea_find_cuda_header library header missing)
  string(TOUPPER ${library} name)
  set(FOVEA_HAVE_${name}_HEADERS OFF PARENT_SCOPE)
  if(NOT FOVEA_HAVE_CUDA_HEADERS)
    return()
  endif()
  find_path(FOVEA_${library}_INCLUDE_DIR ${header} HINTS ${CUDAToolkit_INCLUDE_DIRS})
  mark_as_advanced(FOVEA_${library}_INCLUDE_DIR)
  if(NOT FOVEA_${library}_INCLUDE_DIR)
    message(STATUS "No ${header} found: the CUDA backend is built without ${missing}. "
      "Set FOVEA_${library}_INCLUDE_DIR to its folder to have them.")
    return()
  endif()
  set(FOVEA_HAVE_${name}_HEADERS ON PARENT_SCOPE)
  add_library(${library}_headers INTERFACE IMPORTED GLOBAL)
  target_include_directories(${library}_headers SYSTEM INTERFACE
    "${FOVEA_${library}_INCLUDE_DIR}" ${CUDAToolkit_INCLUDE_DIRS})
endfunction()

fovea_find_cuda_header(cudnn cudnn.h "its convolutions")
fovea_find_cuda_header(cublaslt cublasLt.h "its dense layers")
