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

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

/// By how much a result may differ, as a part of ElementSample::scale. float32: a direct sum stays
/// below 1e-6, Winograd's transforms lose a digit or two more; a sum that lacks a term of thousands
/// is off by more. Narrower types: the result and, where a backend rounds them, the weights lose
/// half a unit of the last place each; this allows twice that.
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

/// Floats from -1 to 1, and any bytes, the same for the same seed.
std::vector<std::byte> random_values(const TensorDesc& desc, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<std::byte> bytes(byte_size(desc));
  if (!is_float(desc.dtype)) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 8U & 0xFFU);
    return bytes;
  }
  const TensorDesc wide{DType::kFloat32, desc.shape};
  std::vector<float> values(static_cast<std::size_t>(num_elements(desc.shape)));
  for (float& value : values) {
    value = static_cast<float>(static_cast<std::int64_t>(random()) - (1 << 30)) * 0x1p-30F;
  }
  const ConstTensorView from{&wide, reinterpret_cast<const std::byte*>(values.data())};
  const TensorView to{&desc, bytes.data()};
  Cast{desc.dtype}.evaluate({&from, 1}, {&to, 1});
  return bytes;
}

/// An element as a double.
double element(const TensorDesc& desc, const std::byte* data, std::int64_t index) {
  const TensorDesc one{desc.dtype, {1}};
  const TensorDesc wide{DType::kFloat32, {1}};
  float value = 0;
  const ConstTensorView from{&one,
                             data + static_cast<std::size_t>(index) * element_size(desc.dtype)};
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
    : backend_(backend), site_(site), inputs_(inputs), stream_(stream), block_bytes_(block_bytes) {
  std::vector<PinnedBytes> constants;
  std::vector<ConstTensorView> views;
  std::vector<TensorDesc> descs;
  descs.reserve(site.node.inputs.size());
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) descs.push_back(site.input(i));
  for (std::size_t i = 0; i < descs.size(); ++i) {
    // One value that is read twice is one value.
    const auto first = std::ranges::find(site.node.inputs, site.node.inputs[i]);
    const auto seed = static_cast<unsigned>(first - site.node.inputs.begin()) + 1;
    const Constant* constant = site.constant(i);
    values_.push_back(constant == nullptr ? random_values(descs[i], seed)
                                          : std::vector<std::byte>());
    constants.push_back(constant == nullptr ? PinnedBytes({}, nullptr) : constant->read());
    views.push_back(
        {&descs[i], constant == nullptr ? values_.back().data() : constants.back().data()});
  }
  expected_ = sample_outputs(site.node.op, views, site.node.outputs, kSamples);

  const std::size_t free_bytes = backend.memory_info().free_bytes;
  const std::size_t wanted = std::clamp<std::size_t>(kAllBlocks / block_bytes, 1, kMostBlocks);
  blocks_ = std::clamp<std::size_t>(free_bytes / 4 / block_bytes, 1, wanted);
  if (block_bytes + workspace_bytes > free_bytes / 2) {
    throw DeviceError("too little free memory to measure in", ErrorCode::kDeviceOutOfMemory);
  }
  memory_ = backend.allocate(blocks_ * block_bytes + workspace_bytes);
  for (std::size_t i = 0; i < blocks_; ++i) fill(i);
}

/// Writes the inputs where they lie now.
void TrialMemory::fill(std::size_t block) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].empty()) continue;
    std::byte* to = this->block(block) + inputs_.places[i].address;
    if (site_.inputs[i] == Layout{}) {
      stream_.upload(to, values_[i].data(), values_[i].size());
      stream_.synchronize();
      continue;
    }
    const Tactic conversion = backend_.conversion(site_.input(i), Layout{}, site_.inputs[i]);
    WeightStore no_weights(backend_);
    const Layout dense;
    const auto step = conversion.build({{&dense, 1}, {&site_.inputs[i], 1}, no_weights});
    const auto staging =
        backend_.allocate(values_[i].size() + conversion.workspace_bytes + kBufferAlignment);
    const std::size_t data_bytes = align_up(values_[i].size(), kBufferAlignment);
    stream_.upload(staging.get(), values_[i].data(), values_[i].size());
    const BoundStep bound(*step, {staging.get()}, {to}, staging.get() + data_bytes, stream_);
    bound.enqueue(stream_);
    stream_.synchronize();
  }
}

std::string TrialMemory::check(const Trial& trial) {
  fill(0);
  // What an earlier trial left must not pass for a result: these bytes are NaN in every float type.
  const std::vector<std::byte> poison(trial.bytes() - inputs_.bytes, std::byte{0xFF});
  stream_.upload(block(0) + inputs_.bytes, poison.data(), poison.size());
  const BoundTrial bound = trial.bind_check(block(0), workspace(), stream_);
  bound.enqueue(stream_);
  stream_.synchronize();

  const double allowed = tolerance(site_);
  std::vector<std::byte> host;
  for (std::size_t i = 0; i < site_.node.outputs.size(); ++i) {
    const TensorDesc& desc = site_.node.outputs[i];
    const std::byte* result = block(0) + trial.dense_outputs()[i].address;
    if (!backend_.on_host()) {
      host.resize(byte_size(desc));
      stream_.download(host.data(), result, host.size());
      stream_.synchronize();
      result = host.data();
    }
    for (const ElementSample& sample : expected_) {
      if (sample.output != i) continue;
      const double value = element(desc, result, sample.element);
      const double error = std::abs(value - sample.value);
      if (error <= (is_float(desc.dtype) ? allowed * sample.scale : 0)) continue;
      if (value == sample.value || (std::isnan(value) && std::isnan(sample.value))) continue;
      return cat("its result differs from the reference: element ",
                 sample.element,
                 " is ",
                 number(value),
                 ", not ",
                 number(sample.value));
    }
  }
  return {};
}

}  // namespace fovea
