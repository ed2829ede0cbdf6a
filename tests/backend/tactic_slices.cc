#include "tests/backend/tactic_slices.h"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "engine/backend/weight_store.h"
#include "engine/passes/pass.h"
#include "tests/support/strided.h"

namespace fovea::test {

namespace {

constexpr std::int64_t kBatchSize = 3;
/// Channels of the larger buffer before and behind those of the slice.
constexpr std::int64_t kBefore = 3;
constexpr std::int64_t kBehind = 2;

}  // namespace

Layout slice_of(const TensorDesc& desc) {
  return Layout::sliced(kBefore + desc.shape.back() + kBehind, kBefore);
}

namespace {

/// Every float becomes NaN.
void poison_bytes(std::byte* memory, std::size_t bytes, Stream& stream) {
  const std::vector<std::byte> ones(bytes, std::byte{0xFF});
  stream.upload(memory, ones.data(), bytes);
  stream.synchronize();
}

bool is_opaque(const Layout& layout) {
  return layout.kind == Layout::Kind::kOpaque;
}

/// A tensor in device memory of exactly the size of its buffer; what lies around a slice is NaN.
class Placed {
 public:
  Placed(const TensorDesc& desc, const Layout& layout, const Backend& backend)
      : desc_(desc),
        sliced_(layout.kind == Layout::Kind::kSliced),
        bytes_(buffer_bytes(desc, layout)),
        memory_(backend.allocate(bytes_)) {}

  [[nodiscard]] std::byte* address() const {
    return memory_.get() + (sliced_ ? before() * element_size(desc_.dtype) : 0);
  }

  void upload(const Floats& values, Stream& stream) const {
    const Floats all = sliced_ ? spread(values, channels(), stride(), before()) : values;
    const std::vector<std::byte> buffer =
        to_bytes({desc_.dtype, {static_cast<std::int64_t>(all.size())}}, all);
    ASSERT_EQ(buffer.size(), bytes_);
    stream.upload(memory_.get(), buffer.data(), bytes_);
    stream.synchronize();
  }

  void poison(Stream& stream) const { poison_bytes(memory_.get(), bytes_, stream); }

  /// The elements as floats. Fails the test where something beside a slice was written.
  [[nodiscard]] Floats download(Stream& stream) const {
    std::vector<std::byte> bytes(bytes_);
    stream.download(bytes.data(), memory_.get(), bytes_);
    stream.synchronize();
    const auto count = static_cast<std::int64_t>(bytes_ / element_size(desc_.dtype));
    const TensorDesc buffer{desc_.dtype, {count}};
    Floats values = to_floats({&buffer, bytes.data()});
    return sliced_ ? gathered(values, channels(), stride(), before()) : values;
  }

 private:
  static std::size_t before() { return static_cast<std::size_t>(kBefore); }

  [[nodiscard]] std::size_t channels() const {
    return static_cast<std::size_t>(desc_.shape.back());
  }

  [[nodiscard]] std::size_t stride() const {
    return static_cast<std::size_t>(slice_of(desc_).pixel_stride);
  }

  TensorDesc desc_;
  bool sliced_;
  std::size_t bytes_;
  std::shared_ptr<std::byte> memory_;
};

}  // namespace

std::vector<Floats> values_of(const OpSite& site) {
  std::vector<Floats> values;
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    const Constant* constant = site.constant(i);
    values.push_back(constant == nullptr ? random_values(site.input(i), i + 1)
                                         : to_floats({&constant->desc, constant->read().data()}));
  }
  return values;
}

std::vector<Floats> evaluated(const OpSite& site, const std::vector<Floats>& inputs) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<ConstTensorView> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    bytes.push_back(to_bytes(site.input(i), inputs[i]));
    in.push_back({&site.input(i), bytes.back().data()});
  }
  std::vector<TensorView> out;
  for (const TensorDesc& desc : site.node.outputs) {
    bytes.emplace_back(byte_size(desc));
    out.push_back({&desc, bytes.back().data()});
  }
  evaluate(site.node.op, in, out);

  std::vector<Floats> outputs;
  for (const TensorView& view : out) outputs.push_back(to_floats({view.desc, view.data}));
  return outputs;
}

std::vector<Floats> run_tactic(const Backend& backend,
                               const OpSite& site,
                               const Tactic& tactic,
                               const std::vector<Layout>& output_layouts,
                               const std::vector<Floats>& inputs) {
  const std::unique_ptr<Stream> stream = backend.make_stream(site.threads);
  std::vector<Placed> placed;
  std::vector<const std::byte*> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (site.constant(i) != nullptr) {
      in.push_back(nullptr);
      continue;
    }
    placed.emplace_back(site.input(i), tactic.inputs[i], backend).upload(inputs[i], *stream);
    in.push_back(placed.back().address());
  }
  std::vector<Placed> results;
  std::vector<std::byte*> out;
  for (std::size_t i = 0; i < output_layouts.size(); ++i) {
    const Placed& result = results.emplace_back(site.node.outputs[i], output_layouts[i], backend);
    result.poison(*stream);
    out.push_back(result.address());
  }
  const std::shared_ptr<std::byte> workspace = backend.allocate(tactic.workspace_bytes);
  poison_bytes(workspace.get(), tactic.workspace_bytes, *stream);

  WeightStore weights(backend);
  const std::unique_ptr<Step> step = tactic.build({tactic.inputs, output_layouts, weights});
  StepArgs args{in, out, workspace.get(), nullptr};
  const std::unique_ptr<StepState> state = step->bind(args, *stream);
  args.state = state.get();
  step->enqueue(args, *stream);
  stream->synchronize();

  std::vector<Floats> outputs;
  for (const Placed& result : results) outputs.push_back(result.download(*stream));
  return outputs;
}

std::vector<OpSite> sites_of(const Graph& graph, int threads) {
  std::vector<OpSite> sites;
  for (const Node& node : graph.nodes()) {
    if (node.as<Input>() != nullptr || node.as<Constant>() != nullptr) continue;
    OpSite site{graph, node, {}, threads};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool constant = site.constant(i) != nullptr;
      site.inputs.push_back(constant ? Layout{} : slice_of(site.input(i)));
    }
    sites.push_back(std::move(site));
  }
  return sites;
}

std::array<Graph, 2> graphs_of(const OpCase& op_case, const Backend& backend) {
  const Graph graph = op_case.build();
  Graph optimised = graph;
  PassContext context{backend.traits(), {}};
  run_passes(optimised, default_passes(), context);
  return {with_batch(graph, kBatchSize), with_batch(optimised, kBatchSize)};
}

void expect_equal_to_definition(const Backend& backend,
                                const OpSite& site,
                                float tolerance,
                                double relative) {
  const std::vector<Floats> inputs = values_of(site);
  const std::vector<Floats> want = evaluated(site, inputs);
  for (const Tactic& tactic : backend.tactics(site)) {
    // What a backend's own format means is its own affair.
    if (std::any_of(tactic.inputs.begin(), tactic.inputs.end(), is_opaque)) continue;
    if (std::any_of(tactic.outputs.begin(), tactic.outputs.end(), is_opaque)) continue;
    SCOPED_TRACE(site.node.name + " by " + tactic.name);
    std::vector<Layout> outputs = tactic.outputs;
    if (tactic.writes_slices) outputs[0] = slice_of(site.node.outputs[0]);

    const std::vector<Floats> got = run_tactic(backend, site, tactic, outputs, inputs);

    for (std::size_t i = 0; i < want.size(); ++i) expect_near(got[i], want[i], tolerance, relative);
  }
}

SliceSupport slice_support(const Backend& backend) {
  SliceSupport support;
  for (const OpCase& op_case : op_cases()) {
    for (const Graph& graph : graphs_of(op_case, backend)) {
      for (const OpSite& site : sites_of(graph, 1)) {
        for (const Tactic& tactic : backend.tactics(site)) {
          const std::string name(op_name(site.node.op));
          if (tactic.inputs[0].kind == Layout::Kind::kSliced) support.readers.insert(name);
          if (tactic.writes_slices) support.writers.insert(name);
        }
      }
    }
  }
  return support;
}

}  // namespace fovea::test
