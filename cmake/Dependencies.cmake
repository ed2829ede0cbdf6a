# Every third-party package, found once. Which layer may use which one: cmake/CheckLayers.cmake.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Protobuf REQUIRED)
find_package(OpenMP REQUIRED)

# fovea_find_library(<target> HEADER h LIBRARY l [SUFFIX s]): an imported target for a library whose
# own CMake files are missing or ask for more than we use.
function(fovea_find_library target)
  cmake_parse_arguments(ARG "" "HEADER;LIBRARY;SUFFIX" "" ${ARGN})
  find_path(FOVEA_${ARG_LIBRARY}_INCLUDE_DIR ${ARG_HEADER} PATH_SUFFIXES "${ARG_SUFFIX}" REQUIRED)
  find_library(FOVEA_${ARG_LIBRARY}_LIBRARY ${ARG_LIBRARY} REQUIRED)
  mark_as_advanced(FOVEA_${ARG_LIBRARY}_INCLUDE_DIR FOVEA_${ARG_LIBRARY}_LIBRARY)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE "${FOVEA_${ARG_LIBRARY}_INCLUDE_DIR}")
  target_link_libraries(${target} INTERFACE "${FOVEA_${ARG_LIBRARY}_LIBRARY}")
endfunction()

fovea_find_library(xxhash::xxhash HEADER xxhash.h LIBRARY xxhash)
# The headers alone: engine/importers/fetch_curl.h says why the library is not linked.
find_path(FOVEA_curl_INCLUDE_DIR curl/curl.h REQUIRED)
mark_as_advanced(FOVEA_curl_INCLUDE_DIR)
add_library(curl_headers INTERFACE IMPORTED GLOBAL)
target_include_directories(curl_headers SYSTEM INTERFACE "${FOVEA_curl_INCLUDE_DIR}")
# Debian's dnnl-config.cmake demands the OpenCL development files, which nothing here uses.
fovea_find_library(DNNL::dnnl HEADER oneapi/dnnl/dnnl.hpp LIBRARY dnnl)
# Debian ships OpenCVConfig.cmake only in libopencv-dev, which pulls in every module and VTK.
fovea_find_library(opencv_core HEADER opencv2/core.hpp LIBRARY opencv_core SUFFIX opencv4)
fovea_find_library(opencv_imgcodecs HEADER opencv2/imgcodecs.hpp LIBRARY opencv_imgcodecs SUFFIX opencv4)

# Debian has HDF5 with and without MPI side by side; ours is the one without.
fovea_find_library(hdf5_serial HEADER hdf5.h LIBRARY hdf5_serial SUFFIX hdf5/serial)

# The toolkit's headers are enough for the emulated CUDA backend; nvcc is only needed for the real one.
find_package(CUDAToolkit QUIET)
set(FOVEA_HAVE_CUDA_HEADERS OFF)
if(CUDAToolkit_FOUND AND EXISTS "${CUDAToolkit_INCLUDE_DIRS}/cuda_runtime_api.h")
  set(FOVEA_HAVE_CUDA_HEADERS ON)
endif()
include(CudaLibraries)
if(FOVEA_ENABLE_CUDA)
  find_package(CUDAToolkit REQUIRED)
  enable_language(CUDA)
  include(CudaStandard)
endif()

# The emulator has its own context switch, written for x86-64.
set(FOVEA_HAVE_EMULATOR OFF)
if(NOT FOVEA_HAVE_CUDA_HEADERS)
  message(STATUS "No CUDA toolkit headers found: the kernels and the backend cuda-emu are not built. "
    "Set CUDAToolkit_ROOT to the toolkit's folder to build them.")
elseif(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  message(STATUS "The kernel emulator runs on x86-64 only: the backend cuda-emu is not built.")
else()
  set(FOVEA_HAVE_EMULATOR ON)
endif()
