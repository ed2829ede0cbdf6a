# Run as: cmake -D WORK=<empty folder> -P tests/lint/layers_test.cmake
#
# Proves that cmake/CheckLayers.cmake notices what it is for: a small correct tree passes, and one
# wrong include planted in it makes the check fail with the file and the broken rule in the message.
cmake_minimum_required(VERSION 3.22)
set(checker "${CMAKE_CURRENT_LIST_DIR}/../../cmake/CheckLayers.cmake")

# One correct include of every kind.
function(write_clean_tree)
  file(REMOVE_RECURSE "${WORK}")
  include_in(engine/include/fovea/types.h "<cstdint>")
  include_in(engine/include/fovea/classifier.h "<fovea/types.h>")
  include_in(engine/include/fovea/opencv.h "<opencv2/core.hpp>")
  include_in(engine/core/types.cc "<fovea/types.h>" "\"engine/core/types.h\"" "<spdlog/spdlog.h>")
  include_in(engine/graph/graph.h "\"engine/core/types.h\"" "<nlohmann/json_fwd.hpp>")
  include_in(engine/importers/package.cc "\"engine/graph/graph.h\"" "<nlohmann/json.hpp>")
  include_in(engine/import_worker/onnx/read.cc "\"onnx.pb.h\"" "<google/protobuf/arena.h>"
             "<zip.h>" "\"engine/graph/graph.h\"")
  include_in(engine/import_worker/keras/read.cc "<hdf5.h>")
  include_in(engine/passes/fold.cc "\"engine/graph/graph.h\"")
  include_in(engine/backend/backend.h "\"engine/graph/graph.h\"")
  include_in(engine/backend/cpu/conv.cc "<oneapi/dnnl/dnnl.hpp>" "\"engine/backend/backend.h\"")
  include_in(engine/backend/cuda/conv.cc "<cudnn.h>" "<cublasLt.h>" "<cuda_runtime.h>"
             "\"kernels/softmax.h\"" "\"engine/backend/reference/reference_backend.h\"")
  include_in(engine/plan/compiler.cc "\"engine/passes/pass.h\"" "\"engine/backend/backend.h\"")
  include_in(engine/runtime/context.cc "\"engine/plan/plan.h\"" "<fovea/plan.h>")
  include_in(engine/pipeline/decode_jpeg.cc "<jpeglib.h>" "\"engine/runtime/context.h\"")
  include_in(engine/pipeline/decode_opencv.cc "<opencv2/imgcodecs.hpp>" "<fovea/classifier.h>")
  include_in(engine/api/open.cc "\"engine/backend/cpu/cpu_backend.h\"" "<fovea/zoo.h>"
             "\"engine/importers/package.h\"" "\"models/builders/zoo.h\"")
  include_in(kernels/softmax.cu "<cuda_fp16.h>" "\"kernels/softmax.h\"")
  include_in(models/builders/lenet5.cc "<fovea/graph.h>" "\"models/builders/zoo.h\"")
  include_in(apps/fovea/main.cc "<fovea/classifier.h>" "<CLI/CLI.hpp>" "\"apps/fovea/commands.h\"")
  include_in(tests/unit/graph/graph_test.cc "\"engine/graph/graph.h\"" "<cudnn.h>"
             "\"engine/import_worker/onnx/read.h\"")
endfunction()

function(include_in file)
  set(text "// A fixture.\n")
  foreach(token IN LISTS ARGN)
    string(APPEND text "#include ${token}\n")
  endforeach()
  file(WRITE "${WORK}/${file}" "${text}")
endfunction()

function(run_checker result output)
  execute_process(COMMAND "${CMAKE_COMMAND}" -D "ROOT=${WORK}" -P "${checker}"
                  RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${result} "${code}" PARENT_SCOPE)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

# Plants `token` in `file`, and expects a failure that says "<file>: <message>" once.
function(expect_violation file token message)
  write_clean_tree()
  include_in("${file}" "${token}")
  run_checker(code output)
  string(FIND "${output}" "${file}: ${message}" position)
  if(code EQUAL 0 OR position EQUAL -1 OR NOT output MATCHES "layer check: 1 violations")
    message(SEND_ERROR "#include ${token} in ${file}: expected one violation, '${message}', "
                       "got exit code ${code} and:\n${output}")
  endif()
endfunction()

write_clean_tree()
run_checker(code output)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "the correct tree does not pass:\n${output}")
endif()

file(REMOVE_RECURSE "${WORK}")
run_checker(code output)
if(code EQUAL 0)
  message(SEND_ERROR "an empty tree passes")
endif()

# Layers: one step up, or across, from each.
expect_violation(engine/core/bad.cc "\"engine/graph/graph.h\"" "layer 'core' may not use layer 'graph'")
expect_violation(engine/core/bad.h "<fovea/classifier.h>" "layer 'core' may not use layer 'pipeline'")
expect_violation(engine/graph/ops/bad.h "\"engine/passes/pass.h\"" "layer 'graph' may not use layer 'passes'")
expect_violation(engine/importers/bad.cc "\"engine/passes/pass.h\"" "layer 'importers' may not use layer 'passes'")
expect_violation(engine/import_worker/keras/bad.cc "\"engine/passes/pass.h\""
                 "layer 'import_worker' may not use layer 'passes'")
expect_violation(engine/passes/bad.cc "\"engine/backend/backend.h\"" "layer 'passes' may not use layer 'backend'")
expect_violation(engine/backend/bad.h "\"engine/plan/plan.h\"" "layer 'backend' may not use layer 'plan'")
expect_violation(engine/backend/bad.cc "\"engine/backend/cpu/conv.h\""
                 "layer 'backend' may not use layer 'backend/cpu'")
expect_violation(engine/backend/cpu/bad.cc "\"engine/backend/cuda/conv.h\""
                 "layer 'backend/cpu' may not use layer 'backend/cuda'")
expect_violation(engine/backend/reference/bad.cc "\"engine/passes/pass.h\""
                 "layer 'backend/reference' may not use layer 'passes'")
expect_violation(engine/plan/bad.cc "\"engine/backend/cpu/cpu_backend.h\""
                 "layer 'plan' may not use layer 'backend/cpu'")
expect_violation(engine/plan/bad.cc "\"engine/runtime/context.h\"" "layer 'plan' may not use layer 'runtime'")
expect_violation(engine/runtime/bad.cc "\"engine/passes/pass.h\"" "layer 'runtime' may not use layer 'passes'")
expect_violation(engine/pipeline/bad.cc "\"engine/graph/graph.h\"" "layer 'pipeline' may not use layer 'graph'")
expect_violation(engine/pipeline/bad.cc "<fovea/compiler.h>" "layer 'pipeline' may not use layer 'api'")
expect_violation(engine/api/bad.cc "\"engine/import_worker/onnx/read.h\""
                 "layer 'api' may not use layer 'import_worker'")
expect_violation(engine/api/bad.cc "\"tests/support/run_graph.h\"" "layer 'api' may not use layer 'tests'")
expect_violation(kernels/bad.cu "\"engine/core/types.h\"" "layer 'kernels' may not use layer 'core'")
expect_violation(kernels/bad.h "<fovea/types.h>" "layer 'kernels' may not use layer 'core'")
expect_violation(models/builders/bad.cc "\"engine/graph/graph.h\"" "layer 'models' may not use layer 'graph'")
expect_violation(models/builders/bad.cc "<fovea/classifier.h>" "layer 'models' may not use layer 'pipeline'")
expect_violation(apps/fovea/bad.cc "\"engine/api/open.h\"" "layer 'apps' may not use layer 'api'")
expect_violation(engine/include/fovea/bad.h "\"engine/core/types.h\"" "a public header may include public headers only")
expect_violation(engine/newlayer/bad.cc "<vector>" "layer 'newlayer' has no row")
expect_violation(engine/backend/newbackend/bad.cc "<vector>" "layer 'backend/newbackend' has no row")

# Spelling.
expect_violation(engine/graph/bad.cc "\"fovea/types.h\"" "public headers are included in angle brackets")
expect_violation(engine/graph/bad.cc "\"engine/include/fovea/types.h\"" "public headers are included in angle brackets")
expect_violation(tests/unit/bad.cc "\"fovea/types.h\"" "public headers are included in angle brackets")
expect_violation(engine/graph/bad.cc "\"graph.h\"" "internal headers are spelt from the repository root")
expect_violation(engine/graph/bad.cc "\"../core/types.h\"" "internal headers are spelt from the repository root")
expect_violation(engine/graph/bad.cc "<engine/core/types.h>" "internal headers are included with quotes")

# Third parties.
expect_violation(engine/plan/bad.cc "<cuda_runtime.h>" "CUDA headers are allowed only")
expect_violation(engine/include/fovea/bad.h "<cuda_runtime_api.h>" "CUDA headers are allowed only")
expect_violation(kernels/bad.cu "<cudnn.h>" "cuDNN headers are allowed only")
expect_violation(engine/api/bad.cc "<cublasLt.h>" "cuBLAS headers are allowed only")
expect_violation(engine/runtime/bad.cc "\"kernels/softmax.h\"" "layer 'runtime' may not use layer 'kernels'")
expect_violation(engine/backend/cuda/bad.cc "<oneapi/dnnl/dnnl.hpp>" "oneDNN headers are allowed only")
expect_violation(engine/api/bad.cc "<dnnl.hpp>" "oneDNN headers are allowed only")
expect_violation(engine/pipeline/resize.cc "<opencv2/imgproc.hpp>" "OpenCV headers are allowed only")
expect_violation(engine/pipeline/batcher.cc "<jpeglib.h>" "libjpeg headers are allowed only")
expect_violation(engine/pipeline/batcher.cc "<png.h>" "libpng headers are allowed only")
expect_violation(engine/importers/bad.cc "<hdf5.h>" "HDF5 headers are allowed only")
expect_violation(engine/importers/bad.cc "<H5Cpp.h>" "HDF5 headers are allowed only")
expect_violation(engine/graph/bad.cc "<google/protobuf/arena.h>" "protobuf headers are allowed only")
expect_violation(engine/importers/bad.cc "\"onnx.pb.h\"" "protobuf headers are allowed only")
expect_violation(engine/importers/bad.cc "<zip.h>" "zip headers are allowed only")
expect_violation(engine/core/bad.cc "<CLI/CLI.hpp>" "CLI11 headers are allowed only")
expect_violation(engine/graph/bad.h "<nlohmann/json.hpp>" "too heavy for a header")
expect_violation(engine/core/bad.h "<spdlog/spdlog.h>" "too heavy for a header")
expect_violation(apps/fovea/bad.h "<CLI/App.hpp>" "too heavy for a header")
file(REMOVE_RECURSE "${WORK}")
