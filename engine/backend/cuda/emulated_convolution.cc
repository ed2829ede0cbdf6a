#include "engine/backend/cuda/emulated_convolution.h"

#include <cstring>
#include <utility>

#include "engine/backend/cuda/kernel_step.h"
#include "engine/core/align.h"
#include "kernels/simt/stream.h"

namespace fovea::cuda {

namespace {

/// A tensor and where it lies.
struct Placed {
  TensorDesc desc;
  Layout layout;
};

/// Copies the channels of every pixel; strides are in elements.
void copy_pixels(const TensorDesc& desc,
                 const std::byte* src,
                 std::int64_t src_stride,
                 std::byte* dst,
                 std::int64_t dst_stride) {
  const auto step = static_cast<std::int64_t>(element_size(desc.dtype));
  const auto bytes = static_cast<std::size_t>(channels_of(desc) * step);
  for (std::int64_t p = 0; p < pixels_of(desc); ++p) {
    std::memcpy(dst + p * dst_stride * step, src + p * src_stride * step, bytes);
  }
}

/// Evaluates a Conv2d on dense copies in the workspace: first the inputs that are slices, then the
/// output.
class Convolution {
 public:
  Convolution(const Conv2d& op, std::vector<Placed> inputs, Placed output)
      : op_(op), inputs_(std::move(inputs)), output_(std::move(output)) {}

  void run(std::vector<const std::byte*> inputs, std::byte* output, std::byte* workspace) const {
    std::vector<ConstTensorView> views;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const auto& [desc, layout] = inputs_[i];
      if (layout.kind == Layout::Kind::kSliced) {
        copy_pixels(desc, inputs[i], layout.pixel_stride, workspace, channels_of(desc));
        inputs[i] = workspace;
        workspace += align_up(byte_size(desc), kBufferAlignment);
      }
      views.push_back({&desc, inputs[i]});
    }
    const TensorView result{&output_.desc, workspace};
    evaluate(op_, views, {&result, 1});
    copy_pixels(output_.desc,
                workspace,
                channels_of(output_.desc),
                output,
                pixel_stride(output_.desc, output_.layout));
  }

 private:
  Op op_;
  std::vector<Placed> inputs_;
  Placed output_;
};

class EmulatedConvolutions final : public ConvolutionLibrary {
 public:
  [[nodiscard]] std::string version() const override { return "convolutions by definition"; }

  [[nodiscard]] bool activates_some_channels() const override { return true; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    const Conv2d& op = *site.node.as<Conv2d>();
    const TensorDesc y = site.node.outputs[0];
    std::vector<TensorDesc> descs(site.node.inputs.size());
    for (std::size_t i = 0; i < descs.size(); ++i) descs[i] = site.input(i);

    const auto make = [=](const BuildArgs& args) -> Launch {
      std::vector<Placed> inputs(descs.size());
      for (std::size_t i = 0; i < descs.size(); ++i) inputs[i] = {descs[i], args.inputs[i]};
      const Convolution convolution(op, std::move(inputs), {y, args.outputs[0]});
      return [convolution](const Operands& operands, cudaStream_t stream) {
        simt::enqueue(
            stream,
            [&convolution,
             inputs = std::vector(operands.inputs.begin(), operands.inputs.end()),
             output = operands.outputs[0],
             workspace = operands.workspace] { convolution.run(inputs, output, workspace); });
        return cudaSuccess;
      };
    };
    Tactic tactic = kernel_tactic(site, "evaluate", make);
    const auto take = [&](std::size_t i) {
      if (site.constant(i) != nullptr) return;
      tactic.inputs[i] = strided_or_dense(site.inputs[i]);
      if (tactic.inputs[i].kind == Layout::Kind::kSliced) {
        tactic.workspace_bytes += align_up(byte_size(descs[i]), kBufferAlignment);
      }
    };
    take(0);
    if (op.residual) {
      take(descs.size() - 1);
      tactic.aliases = {{.input = descs.size() - 1, .output = 0}};
    }
    tactic.workspace_bytes += align_up(byte_size(y), kBufferAlignment);
    tactic.writes_slices = true;
    return {tactic};
  }
};

}  // namespace

std::unique_ptr<ConvolutionLibrary> make_emulated_convolutions() {
  return std::make_unique<EmulatedConvolutions>();
}

}  // namespace fovea::cuda
