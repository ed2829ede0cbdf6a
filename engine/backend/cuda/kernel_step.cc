#include "engine/backend/cuda/kernel_step.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "engine/backend/cuda/cuda_stream.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/core/require.h"
#include "kernels/copy.h"

namespace fovea::cuda {

namespace {

using DeviceBytes = std::shared_ptr<const std::byte>;

struct KernelState final : StepState {
  std::vector<const std::byte*> inputs;
};

class KernelStep final : public Step {
 public:
  KernelStep(Launch launch, std::vector<DeviceBytes> constants)
      : launch_(std::move(launch)), constants_(std::move(constants)) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& /*stream*/) const override {
    auto state = std::make_unique<KernelState>();
    for (std::size_t i = 0; i < args.inputs.size(); ++i) {
      state->inputs.push_back(constants_[i] != nullptr ? constants_[i].get() : args.inputs[i]);
    }
    return state;
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    const auto& state = dynamic_cast<const KernelState&>(*args.state);
    check(launch_({state.inputs, args.outputs, args.workspace}, as_cuda(stream)));
  }

 private:
  Launch launch_;
  std::vector<DeviceBytes> constants_;  ///< null for inputs that are no Constants
};

/// A Constant that a step reads, and the type it reads.
struct Parameter {
  const Constant* constant = nullptr;  ///< null for inputs that are none, or are packed elsewhere
  DType type = DType::kFloat32;
};

std::unique_ptr<Step> build_step(const std::vector<Parameter>& parameters,
                                 const MakeLaunch& make,
                                 const BuildArgs& args) {
  std::vector<DeviceBytes> copies;
  copies.reserve(parameters.size());
  for (const Parameter& parameter : parameters) {
    if (parameter.constant == nullptr) {
      copies.push_back(nullptr);
      continue;
    }
    copies.push_back(packed_constant(*parameter.constant, parameter.type, args.weights));
  }
  return std::make_unique<KernelStep>(make(args), std::move(copies));
}

}  // namespace

Tactic kernel_tactic(const OpSite& site, std::string name, MakeLaunch make) {
  ReadTypes types;
  types.reserve(site.node.inputs.size());
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    types.emplace_back(site.input(i).dtype);
  }
  return kernel_tactic(site, std::move(name), std::move(types), std::move(make));
}

Tactic kernel_tactic(const OpSite& site, std::string name, ReadTypes types, MakeLaunch make) {
  std::vector<Parameter> parameters;
  parameters.reserve(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::optional<DType>& type = types[i];
    parameters.push_back(type ? Parameter{site.constant(i), *type} : Parameter{});
  }
  Tactic tactic;
  tactic.name = std::move(name);
  tactic.inputs.resize(site.node.inputs.size());
  tactic.outputs.resize(site.node.outputs.size());
  tactic.build = [parameters, make = std::move(make)](const BuildArgs& args) {
    return build_step(parameters, make, args);
  };
  return tactic;
}

bool can_be_read_as(const OpSite& site, std::size_t input, DType type) {
  return site.constant(input) != nullptr || site.input(input).dtype == type;
}

bool is_element_type(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

kernels::ElementType element_type(DType dtype) {
  if (dtype == DType::kFloat32) return kernels::ElementType::kFloat32;
  if (dtype == DType::kFloat16) return kernels::ElementType::kFloat16;
  if (dtype == DType::kBFloat16) return kernels::ElementType::kBFloat16;
  throw Error(ErrorCode::kInternal, cat("no kernel computes with elements of ", to_string(dtype)));
}

Layout strided_or_dense(const Layout& layout) {
  return layout.kind == Layout::Kind::kSliced ? layout : Layout{};
}

std::int64_t pixel_stride(const TensorDesc& desc, const Layout& layout) {
  return layout.kind == Layout::Kind::kSliced ? layout.pixel_stride : channels_of(desc);
}

std::int64_t channels_of(const TensorDesc& desc) {
  return desc.shape.empty() ? 1 : desc.shape.back();
}

std::int64_t pixels_of(const TensorDesc& desc) {
  const std::int64_t channels = channels_of(desc);
  return channels == 0 ? 0 : num_elements(desc.shape) / channels;
}

bool fits_int(const TensorDesc& desc) {
  return std::all_of(desc.shape.begin(), desc.shape.end(), [](std::int64_t dim) {
    return dim <= std::numeric_limits<int>::max();
  });
}

bool elements_fit_int(const TensorDesc& desc) {
  return num_elements(desc.shape) <= std::numeric_limits<int>::max();
}

Tactic copy_tactic(const TensorDesc& desc, const Layout& from, const Layout& to) {
  for (const Layout& layout : {from, to}) {
    require(layout.kind != Layout::Kind::kOpaque, "cuda has no opaque layouts");
  }
  const auto bytes = static_cast<std::int64_t>(element_size(desc.dtype));
  Tactic tactic;
  tactic.name = "copy";
  tactic.inputs = {from};
  tactic.outputs = {to};
  tactic.build = [=](const BuildArgs& args) {
    const auto make = [=](const BuildArgs&) -> Launch {
      return [=](const Operands& operands, cudaStream_t stream) {
        return kernels::copy_rows(operands.inputs[0],
                                  pixel_stride(desc, from) * bytes,
                                  operands.outputs[0],
                                  pixel_stride(desc, to) * bytes,
                                  pixels_of(desc),
                                  channels_of(desc) * bytes,
                                  stream);
      };
    };
    return build_step({Parameter{}}, make, args);
  };
  return tactic;
}

}  // namespace fovea::cuda
