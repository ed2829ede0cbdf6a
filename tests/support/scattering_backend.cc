#include "tests/support/scattering_backend.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "engine/backend/host_stream.h"
#include "engine/backend/weight_store.h"
#include "engine/core/require.h"
#include "engine/graph/random_weights.h"

namespace fovea::test {

namespace {

constexpr std::byte kRubbish{0xA5};
constexpr std::size_t kMargin = 24;  ///< bytes of rubbish on either side of an opaque value
constexpr std::size_t kWorkspace = 512;

Layout backwards(const TensorDesc& desc) {
  return Layout::opaque("backwards", byte_size(desc) + 2 * kMargin);
}

/// Where element `i` of the value lies, in bytes from its address.
std::size_t place_of(const TensorDesc& desc, const Layout& layout, std::size_t i) {
  const std::size_t element = element_size(desc.dtype);
  switch (layout.kind) {
    case Layout::Kind::kSliced: {
      const auto channels = static_cast<std::size_t>(desc.shape.back());
      const auto stride = static_cast<std::size_t>(layout.pixel_stride);
      return (i / channels * stride + i % channels) * element;
    }
    case Layout::Kind::kOpaque:
      return kMargin + byte_size(desc) - (i + 1) * element;
    case Layout::Kind::kDense:
      break;
  }
  return i * element;
}

std::vector<std::byte> read(const TensorDesc& desc, const Layout& layout, const std::byte* from) {
  std::vector<std::byte> dense(byte_size(desc));
  const std::size_t element = element_size(desc.dtype);
  for (std::size_t i = 0; i * element < dense.size(); ++i) {
    std::memcpy(dense.data() + i * element, from + place_of(desc, layout, i), element);
  }
  return dense;
}

void write(const TensorDesc& desc,
           const Layout& layout,
           const std::vector<std::byte>& dense,
           std::byte* to) {
  const std::size_t element = element_size(desc.dtype);
  if (layout.kind == Layout::Kind::kOpaque) std::fill_n(to, layout.bytes, kRubbish);
  for (std::size_t i = 0; i * element < dense.size(); ++i) {
    std::memcpy(to + place_of(desc, layout, i), dense.data() + i * element, element);
  }
}

/// A value and where it lies.
struct Placed {
  TensorDesc desc;
  Layout layout;
};

std::vector<Placed> placed(std::span<const TensorDesc> descs, std::span<const Layout> layouts) {
  std::vector<Placed> values;
  for (std::size_t i = 0; i < descs.size(); ++i) values.push_back({descs[i], layouts[i]});
  return values;
}

class ScatteredStep final : public Step {
 public:
  ScatteredStep(Op op,
                std::vector<Placed> inputs,
                std::vector<PinnedBytes> constants,
                std::vector<Placed> outputs)
      : op_(std::move(op)),
        inputs_(std::move(inputs)),
        constants_(std::move(constants)),
        outputs_(std::move(outputs)) {}

  void enqueue(const StepArgs& args, Stream& /*stream*/) const override {
    std::vector<std::vector<std::byte>> values;
    std::vector<ConstTensorView> sources;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const auto& [desc, layout] = inputs_[i];
      const bool is_constant = constants_[i].data() != nullptr;
      values.push_back(is_constant ? read(desc, {}, constants_[i].data())
                                   : read(desc, layout, args.inputs[i]));
      sources.push_back({&desc, values.back().data()});
    }
    std::vector<std::vector<std::byte>> results;
    std::vector<TensorView> targets;
    for (const Placed& output : outputs_) {
      results.emplace_back(byte_size(output.desc));
      targets.push_back({&output.desc, results.back().data()});
    }
    evaluate(op_, sources, targets);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      write(outputs_[i].desc, outputs_[i].layout, results[i], args.outputs[i]);
    }
    std::fill_n(args.workspace, kWorkspace, kRubbish);
  }

 private:
  Op op_;
  std::vector<Placed> inputs_;
  std::vector<PinnedBytes> constants_;  ///< empty for inputs that are no Constants
  std::vector<Placed> outputs_;
};

class ScatteringBackend final : public Backend {
 public:
  explicit ScatteringBackend(std::uint64_t seed) : seed_(seed) {}

  [[nodiscard]] std::string_view name() const override { return "scattering"; }

  [[nodiscard]] TargetTraits traits() const override {
    return {.writes_slices = true, .reads_slices = true, .resizes_on_host = false};
  }

  [[nodiscard]] std::string fingerprint() const override { return "scattering"; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    std::mt19937_64 rng(seed_ ^ fnv1a64(site.node.name));
    std::vector<Tactic> tactics;
    // One alone leaves no choice without conversions.
    const std::uint64_t count = rng() % 4 == 0 ? 3 : 1;
    for (std::uint64_t i = 0; i < count; ++i) tactics.push_back(tactic(site, rng));
    return tactics;
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    Tactic tactic;
    tactic.name = "move";
    tactic.inputs = {from};
    tactic.outputs = {to};
    tactic.workspace_bytes = kWorkspace;
    tactic.build = [=](const BuildArgs& args) {
      require(args.inputs[0] == from && args.outputs[0] == to, "a conversion got other layouts");
      return std::make_unique<ScatteredStep>(Identity{},
                                             std::vector<Placed>{{desc, from}},
                                             std::vector<PinnedBytes>(1, PinnedBytes({}, nullptr)),
                                             std::vector<Placed>{{desc, to}});
    };
    return tactic;
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int /*threads*/) const override {
    return std::make_unique<HostStream>();
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    std::shared_ptr<std::byte> memory = allocate_host(bytes);
    std::fill_n(memory.get(), bytes, kRubbish);
    return memory;
  }

  [[nodiscard]] bool on_host() const override { return true; }

  [[nodiscard]] MemoryInfo memory_info() const override { return host_memory_info(); }

 private:
  [[nodiscard]] static Tactic tactic(const OpSite& site, std::mt19937_64& rng) {
    std::vector<TensorDesc> inputs;
    Tactic tactic;
    for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
      inputs.push_back(site.input(i));
      const Layout choices[]{site.inputs[i], site.inputs[i], Layout{}, backwards(inputs[i])};
      tactic.inputs.push_back(site.constant(i) != nullptr ? Layout{} : choices[rng() % 4]);
    }
    for (const TensorDesc& output : site.node.outputs) {
      tactic.outputs.push_back(rng() % 3 == 0 ? backwards(output) : Layout{});
    }
    tactic.name = cat("scattered-", rng() % 100);
    tactic.workspace_bytes = kWorkspace;
    tactic.writes_slices = rng() % 3 != 0;
    // Every input is read before anything is written, so any output may lie in any input's place.
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (rng() % 2 == 0) tactic.aliases.push_back({i, rng() % site.node.outputs.size()});
    }
    std::vector<const Constant*> constants(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) constants[i] = site.constant(i);
    tactic.build =
        [op = site.node.op, inputs, constants, outputs = site.node.outputs](const BuildArgs& args) {
          std::vector<PinnedBytes> bytes;
          for (const Constant* constant : constants) {
            bytes.push_back(constant == nullptr ? PinnedBytes({}, nullptr)
                                                : args.weights.unpacked(*constant));
          }
          return std::make_unique<ScatteredStep>(
              op, placed(inputs, args.inputs), std::move(bytes), placed(outputs, args.outputs));
        };
    return tactic;
  }

  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Backend> make_scattering_backend(std::uint64_t seed) {
  return std::make_unique<ScatteringBackend>(seed);
}

}  // namespace fovea::test
