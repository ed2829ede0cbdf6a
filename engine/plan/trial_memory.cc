#include "engine/plan/trial_memory.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <random>
#include <span>

#include "engine/backend/bound_step.h"
#include "engine/backend/weight_store.h"
#include "engine/core/align.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

/// Together the blocks are larger than most caches that one core uses, and no more than needed.
constexpr std::size_t kAllBlocks = std::size_t{64} << 20U;
constexpr std::size_t kMostBlocks = 8;

/// Elements of every output that are compared.
constexpr std::size_t kSamples = 256;
constexpr std::size_t kMostElementBytes = 8;

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

/// By how much a result may differ, as a part of ElementSample::scale. float32: a direct sum stays
/// below 1e-6, Winograd's transforms lose a digit or two more; a sum that lacks a term of thousands
/// is off by more. Narrower types: the result and, where a backend rounds each to nearest, the
/// weights lose half a unit of the last place each; this allows twice that. Weights that take over
/// what another one lost are off by more than this part of their own: see check().
double tolerance(const OpSite& site) {
  double tolerance = 2e-5;
  const auto widen = [&](const TensorDesc& desc) {
    if (desc.dtype == DType::kFloat16) tolerance = std::max(tolerance, 0x1p-9);
    if (desc.dtype == DType::kBFloat16) tolerance = std::max(tolerance, 0x1p-6);
  };
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) widen(site.input(i));
  for (const TensorDesc& output : site.node.outputs) widen(output);
  return tolerance;
}

/// Made-up values begin again after so many elements: a large batch has hundreds of millions. No
/// power of two and, with 8191 in it, nearly never a whole number of rows or pictures.
constexpr std::int64_t kPeriod = std::int64_t{128} * 8191;

constexpr std::size_t kPoisonBytes = std::size_t{1} << 20U;

/// The first kPeriod elements of a value, or all: floats from -1 to 1, and any bytes, the same for
/// the same seed.
std::vector<std::byte> random_values(const TensorDesc& desc, unsigned seed) {
  std::minstd_rand random(seed);
  const std::int64_t count = std::min(num_elements(desc.shape), kPeriod);
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * element_size(desc.dtype));
  if (!is_float(desc.dtype)) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 8U & 0xFFU);
    return bytes;
  }
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = static_cast<float>(static_cast<std::int64_t>(random()) - (1 << 30)) * 0x1p-30F;
  }
  const TensorDesc wide{DType::kFloat32, {count}};
  const TensorDesc narrow{desc.dtype, {count}};
  const ConstTensorView from{&wide, reinterpret_cast<const std::byte*>(values.data())};
  const TensorView to{&narrow, bytes.data()};
  Cast{desc.dtype}.evaluate({&from, 1}, {&to, 1});
  return bytes;
}

/// What seeds input i: one value that is read twice is one value.
unsigned seed_of(const OpSite& site, std::size_t i) {
  const auto first = std::ranges::find(site.node.inputs, site.node.inputs[i]);
  return static_cast<unsigned>(first - site.node.inputs.begin()) + 1;
}

/// The pattern again and again, the last time in part.
std::vector<std::byte> repeated(std::span<const std::byte> pattern, std::size_t bytes) {
  std::vector<std::byte> all;
  all.reserve(bytes);
  while (all.size() < bytes) {
    const auto part = pattern.first(std::min(pattern.size(), bytes - all.size()));
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// Which inputs are weights, of which dimension 0 counts the filters.
std::vector<std::size_t> weights_of(const Op& op) {
  if (const auto* separable = std::get_if<SeparableConv2d>(&op)) {
    return {1, separable->depthwise_inputs()};
  }
  const bool has_weights = std::holds_alternative<Conv2d>(op) || std::holds_alternative<Dense>(op);
  return has_weights ? std::vector<std::size_t>{1} : std::vector<std::size_t>{};
}

/// The inputs of a site in host memory.
class HostInputs {
 public:
  explicit HostInputs(const OpSite& site) : site_(site) {
    const std::size_t count = site.node.inputs.size();
    descs_.reserve(count);
    bytes_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const TensorDesc& desc = descs_.emplace_back(site.input(i));
      const Constant* constant = site.constant(i);
      bytes_.push_back(constant == nullptr
                           ? repeated(random_values(desc, seed_of(site, i)), byte_size(desc))
                           : std::vector<std::byte>());
      constants_.push_back(constant == nullptr ? PinnedBytes({}, nullptr) : constant->read());
      views_.push_back({&desc, constant == nullptr ? bytes_[i].data() : constants_[i].data()});
    }
  }

  /// Rounds the weights as the backend does; false where it has no way of its own for them.
  bool round(std::size_t i, const Backend& backend) {
    const Constant* constant = site_.constant(i);
    if (constant == nullptr) return false;
    const DType type = site_.input(0).dtype;
    bytes_[i] = backend.rounded_weights(*constant, type);
    if (bytes_[i].empty()) return false;
    descs_[i].dtype = type;
    views_[i].data = bytes_[i].data();
    return true;
  }

  /// The weights as the graph has them again; other inputs have not changed.
  void restore(std::size_t i) {
    if (site_.constant(i) == nullptr) return;
    descs_[i] = site_.input(i);
    views_[i].data = constants_[i].data();
  }

  [[nodiscard]] std::vector<ElementSample> samples() const {
    return sample_outputs(site_.node.op, views_, site_.node.outputs, kSamples);
  }

 private:
  const OpSite& site_;
  std::vector<TensorDesc> descs_;
  std::vector<std::vector<std::byte>> bytes_;  ///< none where constants_ has them
  std::vector<PinnedBytes> constants_;
  std::vector<ConstTensorView> views_;
};

/// The results for every choice of weights that the backend rounds in a way of its own: of the two
/// parts of a separable convolution a tactic may read one rounded and the other one as it is.
std::vector<std::vector<ElementSample>> samples_by_rounding(const Backend& backend,
                                                            const OpSite& site) {
  std::vector<std::vector<ElementSample>> samples;
  const std::vector<std::size_t> weights = weights_of(site.node.op);
  HostInputs inputs(site);
  for (std::size_t choice = 1; choice < std::size_t{1} << weights.size(); ++choice) {
    bool rounds = true;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if ((choice >> i & 1U) == 0) {
        inputs.restore(weights[i]);
      } else {
        rounds = rounds && inputs.round(weights[i], backend);
      }
    }
    if (rounds) samples.push_back(inputs.samples());
  }
  return samples;
}

/// An element as a double.
double as_double(DType dtype, const std::byte* element) {
  const TensorDesc one{dtype, {1}};
  const TensorDesc wide{DType::kFloat32, {1}};
  float value = 0;
  const ConstTensorView from{&one, element};
  const TensorView to{&wide, reinterpret_cast<std::byte*>(&value)};
  Cast{DType::kFloat32}.evaluate({&from, 1}, {&to, 1});
  return value;
}

std::string number(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.7g", value);
  return text.data();
}

}  // namespace

bool has_random_inputs(const OpSite& site) {
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    const DType dtype = site.input(i).dtype;
    const bool made_up = is_float(dtype) || dtype == DType::kInt8 || dtype == DType::kUInt8;
    if (site.constant(i) == nullptr && !made_up) return false;
  }
  return true;
}

TrialMemory::TrialMemory(const Backend& backend,
                         const OpSite& site,
                         const TrialInputs& inputs,
                         std::size_t block_bytes,
                         std::size_t workspace_bytes,
                         Stream& stream)
    : backend_(backend),
      site_(site),
      inputs_(inputs),
      stream_(stream),
      expected_(HostInputs(site).samples()),
      block_bytes_(block_bytes),
      workspace_bytes_(align_up(workspace_bytes, kBufferAlignment)) {
  const std::size_t free_bytes = backend.memory_info().free_bytes;
  const std::size_t wanted = std::clamp<std::size_t>(kAllBlocks / block_bytes, 1, kMostBlocks);
  blocks_ = std::clamp<std::size_t>(free_bytes / 4 / block_bytes, 1, wanted);
  if (2 * block_bytes + workspace_bytes_ > free_bytes / 2) {
    throw DeviceError("too little free memory to measure in", ErrorCode::kDeviceOutOfMemory);
  }
  memory_ = backend.allocate((blocks_ + 1) * block_bytes + workspace_bytes_);
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    if (site.constant(i) == nullptr) fill(i, random_values(site.input(i), seed_of(site, i)));
  }
  // What an earlier trial left must not pass for a result: these bytes are NaN in every float type.
  repeat(untouched() + inputs_.bytes,
         std::vector<std::byte>(kPoisonBytes, std::byte{0xFF}),
         block_bytes - inputs_.bytes);
  for (std::size_t i = 0; i < blocks_; ++i) stream_.copy(block(i), untouched(), block_bytes);
  stream_.synchronize();
}

/// Writes the pattern to the device again and again; waits.
void TrialMemory::repeat(std::byte* to, std::span<const std::byte> pattern, std::size_t bytes) {
  std::size_t written = std::min(pattern.size(), bytes);
  stream_.upload(to, pattern.data(), written);
  while (written < bytes) {
    const std::size_t part = std::min(written, bytes - written);
    stream_.copy(to + written, to, part);
    written += part;
  }
  stream_.synchronize();
}

/// Writes the input where it lies in the untouched block, in its layout.
void TrialMemory::fill(std::size_t input, std::span<const std::byte> pattern) {
  std::byte* to = untouched() + inputs_.places[input].address;
  const TensorDesc& desc = site_.input(input);
  const Layout& layout = site_.inputs[input];
  if (layout == Layout{}) {
    repeat(to, pattern, byte_size(desc));
    return;
  }
  const Tactic conversion = backend_.conversion(desc, Layout{}, layout);
  WeightStore no_weights(backend_);
  const Layout dense;
  const auto step = conversion.build({{&dense, 1}, {&layout, 1}, no_weights});
  const std::size_t data_bytes = align_up(byte_size(desc), kBufferAlignment);
  const auto staging = backend_.allocate(data_bytes + conversion.workspace_bytes);
  repeat(staging.get(), pattern, byte_size(desc));
  const BoundStep bound(*step, {staging.get()}, {to}, staging.get() + data_bytes, stream_);
  bound.enqueue(stream_);
  stream_.synchronize();
}

/// The elements that are compared, one after the other, where the trial left its results.
std::vector<std::byte> TrialMemory::samples_of(const Trial& trial) {
  std::vector<std::byte> elements(expected_.size() * kMostElementBytes);
  for (std::size_t i = 0; i < expected_.size(); ++i) {
    const ElementSample& sample = expected_[i];
    const std::size_t size = element_size(site_.node.outputs[sample.output].dtype);
    stream_.download(elements.data() + i * kMostElementBytes,
                     block(0) + trial.dense_outputs()[sample.output].address +
                         static_cast<std::size_t>(sample.element) * size,
                     size);
  }
  stream_.synchronize();
  return elements;
}

/// What is wrong with elements that should be these; empty where nothing is.
std::string TrialMemory::difference(std::span<const ElementSample> expected,
                                    std::span<const std::byte> elements) const {
  const double allowed = tolerance(site_);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const ElementSample& sample = expected[i];
    const DType dtype = site_.node.outputs[sample.output].dtype;
    const double value = as_double(dtype, elements.data() + i * kMostElementBytes);
    const double error = std::abs(value - sample.value);
    if (error <= (is_float(dtype) ? allowed * sample.scale : 0)) continue;
    if (value == sample.value || (std::isnan(value) && std::isnan(sample.value))) continue;
    return cat("its result differs from the reference: element ",
               sample.element,
               " is ",
               number(value),
               ", not ",
               number(sample.value));
  }
  return {};
}

std::string TrialMemory::check(const Trial& trial) {
  stream_.copy(block(0), untouched(), block_bytes_);
  const BoundTrial bound = trial.bind_check(block(0), workspace(), stream_);
  bound.enqueue(stream_);
  const std::vector<std::byte> elements = samples_of(trial);

  std::string wrong = difference(expected_, elements);
  if (wrong.empty()) return {};
  // At a picture's border a weight may have taken over what a much larger one outside has lost.
  // Rounding all weights of a dense layer takes as long as packing them: it is done when asked for.
  if (!rounded_) rounded_ = samples_by_rounding(backend_, site_);
  const bool is_right = std::ranges::any_of(
      *rounded_, [&](const auto& expected) { return difference(expected, elements).empty(); });
  return is_right ? std::string() : wrong;
}

}  // namespace fovea
