# What gpu_selftest needs on a machine that has a GPU and little else: the CUDA toolkit, and the
# headers of nlohmann-json and xxHash, which FOVEA_HEADERS may name the folder of.
find_package(Threads REQUIRED)
find_package(CUDAToolkit REQUIRED)
enable_language(CUDA)
include(CudaStandard)

# fovea_header_only(<target> <header>): an imported target for a library that is used by headers.
function(fovea_header_only target header)
  string(MAKE_C_IDENTIFIER "FOVEA_${target}_DIR" variable)
  find_path(${variable} ${header} HINTS "${FOVEA_HEADERS}" REQUIRED)
  mark_as_advanced(${variable})
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE "${${variable}}")
endfunction()

fovea_header_only(nlohmann_json::nlohmann_json nlohmann/json.hpp)
fovea_header_only(xxhash::xxhash xxhash.h)
target_compile_definitions(xxhash::xxhash INTERFACE XXH_INLINE_ALL)
set(FOVEA_HAVE_EMULATOR OFF)
set(FOVEA_HAVE_CUDA_HEADERS ON)
include(CudaLibraries)
