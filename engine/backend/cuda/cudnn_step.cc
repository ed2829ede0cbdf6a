#include "engine/backend/cuda/cudnn_step.h"

#include <utility>

#include "engine/backend/cuda/cuda_stream.h"
#include "kernels/copy.h"

namespace fovea::cuda {

namespace {

/// cuDNN's handle for a stream.
struct CudnnState final : StreamState {
  CudnnState(std::shared_ptr<const CudnnLibrary> of, cudaStream_t stream)
      : library(std::move(of)), handle(make_handle(*library)) {
    check(*library, library->set_stream(handle.get(), stream), "taking a stream");
  }

  std::shared_ptr<const CudnnLibrary> library;
  CudnnHandle handle;
};

cudnnHandle_t handle_of(const std::shared_ptr<const CudnnLibrary>& library, Stream& stream) {
  auto& cuda = dynamic_cast<CudaStream&>(stream);
  const auto make = [&] { return std::make_unique<CudnnState>(library, cuda.get()); };
  return cuda.states().get<CudnnState>(make).handle.get();
}

struct BoundPack final : StepState {
  explicit BoundPack(Descriptor made) : pack(std::move(made)) {}

  Descriptor pack;
};

class CudnnStep final : public Step {
 public:
  explicit CudnnStep(CudnnStepParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& stream) const override {
    (void)handle_of(parts_.library, stream);
    const std::vector<CudnnTensor> tensors = tensors_of(parts_.convolution);
    std::vector<void*> addresses;
    addresses.reserve(tensors.size());
    for (const CudnnTensor tensor : tensors) addresses.push_back(address(tensor, args));
    return std::make_unique<BoundPack>(
        make_variant_pack(*parts_.library, tensors, addresses, args.workspace));
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    execute(parts_.library, *parts_.plan, dynamic_cast<const BoundPack&>(*args.state).pack, stream);
    if (!parts_.copy) return;
    const CudnnConvolution& conv = parts_.convolution;
    const auto bytes = static_cast<std::int64_t>(element_size(conv.dtype));
    check(kernels::copy_rows(args.workspace + parts_.copy->workspace_offset,
                             conv.out_c * bytes,
                             args.outputs[0],
                             parts_.copy->pixel_stride * bytes,
                             conv.n * conv.out_h * conv.out_w,
                             conv.out_c * bytes,
                             as_cuda(stream)));
  }

  void save(SavedState& state) const override { cuda::save(parts_.kept, state); }

 private:
  /// cuDNN writes to kY alone, and takes no pointers to const.
  [[nodiscard]] void* address(CudnnTensor tensor, const StepArgs& args) const {
    const std::byte* read = nullptr;
    switch (tensor) {
      case CudnnTensor::kX:
        read = args.inputs.front();
        break;
      case CudnnTensor::kWeights:
        read = parts_.weights.get();
        break;
      case CudnnTensor::kBias:
        read = parts_.bias.get();
        break;
      case CudnnTensor::kResidual:
        read = args.inputs.back();
        break;
      case CudnnTensor::kY:
        return parts_.copy ? args.workspace + parts_.copy->workspace_offset : args.outputs[0];
    }
    return const_cast<std::byte*>(read);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  }

  CudnnStepParts parts_;
};

}  // namespace

std::unique_ptr<Step> make_cudnn_step(CudnnStepParts parts) {
  return std::make_unique<CudnnStep>(std::move(parts));
}

void execute(const std::shared_ptr<const CudnnLibrary>& library,
             const CudnnPlan& plan,
             const Descriptor& pack,
             Stream& stream) {
  check(*library,
        library->execute(handle_of(library, stream), plan.descriptor().get(), pack.get()),
        "executing a plan");
}

}  // namespace fovea::cuda
