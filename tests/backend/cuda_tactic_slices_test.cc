// Every tactic of the emulated CUDA backend with its operands inside larger buffers: what a plan
// may ask for, though few graphs make it do so.
#include <array>
#include <set>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/weight_store.h"
#include "engine/passes/pass.h"
#include "tests/backend/op_cases.h"
#include "tests/kernels/device_test.h"
#include "tests/support/run_plan.h"

namespace fovea {
namespace {

constexpr std::int64_t kBatchSize = 3;
/// Channels of the larger buffer before and behind those of the slice.
constexpr std::int64_t kBefore = 3;
constexpr std::int64_t kBehind = 2;

Layout slice_of(const TensorDesc& desc) {
  return Layout::sliced(kBefore + desc.shape.back() + kBehind, kBefore);
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
    return memory_.get() + (sliced_ ? before() * sizeof(float) : 0);
  }

  void upload(const test::Floats& values, Stream& stream) const {
    const std::vector<std::byte> buffer = test::to_bytes(
        desc_, sliced_ ? test::spread(values, channels(), stride(), before()) : values);
    ASSERT_EQ(buffer.size(), bytes_);
    stream.upload(memory_.get(), buffer.data(), bytes_);
    stream.synchronize();
  }

  /// The elements as floats. Fails the test where something beside a slice was written.
  [[nodiscard]] test::Floats download(Stream& stream) const {
    std::vector<std::byte> bytes(bytes_);
    stream.download(bytes.data(), memory_.get(), bytes_);
    stream.synchronize();
    if (sliced_) {
      const auto* first = reinterpret_cast<const float*>(bytes.data());
      return test::gathered(
          {first, first + bytes_ / sizeof(float)}, channels(), stride(), before());
    }
    return test::to_floats({&desc_, bytes.data()});
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

/// The inputs of a node: random values, or those of its Constants.
std::vector<test::Floats> values_of(const OpSite& site) {
  std::vector<test::Floats> values;
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    const Constant* constant = site.constant(i);
    values.push_back(constant == nullptr
                         ? test::random_values(site.input(i), i + 1)
                         : test::to_floats({&constant->desc, constant->read().data()}));
  }
  return values;
}

/// The node's outputs by its own definition.
std::vector<test::Floats> evaluated(const OpSite& site, const std::vector<test::Floats>& inputs) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<ConstTensorView> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    bytes.push_back(test::to_bytes(site.input(i), inputs[i]));
    in.push_back({&site.input(i), bytes.back().data()});
  }
  std::vector<TensorView> out;
  for (const TensorDesc& desc : site.node.outputs) {
    bytes.emplace_back(byte_size(desc));
    out.push_back({&desc, bytes.back().data()});
  }
  evaluate(site.node.op, in, out);

  std::vector<test::Floats> outputs;
  for (const TensorView& view : out) outputs.push_back(test::to_floats({view.desc, view.data}));
  return outputs;
}

/// The node's outputs by a tactic, in these layouts.
std::vector<test::Floats> run(const Backend& backend,
                              const OpSite& site,
                              const Tactic& tactic,
                              const std::vector<Layout>& output_layouts,
                              const std::vector<test::Floats>& inputs) {
  const std::unique_ptr<Stream> stream = backend.make_stream(1);
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
    out.push_back(results.emplace_back(site.node.outputs[i], output_layouts[i], backend).address());
  }
  const std::shared_ptr<std::byte> workspace = backend.allocate(tactic.workspace_bytes);

  WeightStore weights(backend);
  const std::unique_ptr<Step> step = tactic.build({tactic.inputs, output_layouts, weights});
  StepArgs args{in, out, workspace.get(), nullptr};
  const std::unique_ptr<StepState> state = step->bind(args, *stream);
  args.state = state.get();
  step->enqueue(args, *stream);
  stream->synchronize();

  std::vector<test::Floats> outputs;
  for (const Placed& result : results) outputs.push_back(result.download(*stream));
  return outputs;
}

/// Every operator of the graph, with each input offered as a slice. The graph must stay.
std::vector<OpSite> sites_of(const Graph& graph) {
  std::vector<OpSite> sites;
  for (const Node& node : graph.nodes()) {
    if (node.as<Input>() != nullptr || node.as<Constant>() != nullptr) continue;
    OpSite site{graph, node, {}, 1};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool constant = site.constant(i) != nullptr;
      site.inputs.push_back(constant ? Layout{} : slice_of(site.input(i)));
    }
    sites.push_back(std::move(site));
  }
  return sites;
}

/// The case's graph for kBatchSize pictures, as it is and as the passes leave it.
std::array<Graph, 2> graphs_of(const test::OpCase& op_case, const Backend& backend) {
  const Graph graph = op_case.build();
  Graph optimised = graph;
  PassContext context{backend.traits(), {}};
  run_passes(optimised, default_passes(), context);
  return {with_batch(graph, kBatchSize), with_batch(optimised, kBatchSize)};
}

class CudaTacticSlices : public testing::TestWithParam<test::OpCase> {};

TEST_P(CudaTacticSlices, EqualReference) {
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  for (const Graph& graph : graphs_of(GetParam(), *backend)) {
    for (const OpSite& site : sites_of(graph)) {
      SCOPED_TRACE(site.node.name);
      const std::vector<test::Floats> inputs = values_of(site);
      const std::vector<test::Floats> want = evaluated(site, inputs);
      for (const Tactic& tactic : backend->tactics(site)) {
        std::vector<Layout> outputs = tactic.outputs;
        if (tactic.writes_slices) outputs[0] = slice_of(site.node.outputs[0]);

        const std::vector<test::Floats> got = run(*backend, site, tactic, outputs, inputs);

        for (std::size_t i = 0; i < want.size(); ++i) {
          test::expect_near(got[i], want[i], GetParam().tolerance, 0.0);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         CudaTacticSlices,
                         testing::ValuesIn(test::op_cases()),
                         [](const auto& test) { return test.param.name; });

// Where an operator is missing here, a plan copies around it.
TEST(CudaTactics, ReadAndWriteSlicesWhereTheirKernelsCan) {
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  std::set<std::string> readers;
  std::set<std::string> writers;

  for (const test::OpCase& op_case : test::op_cases()) {
    for (const Graph& graph : graphs_of(op_case, *backend)) {
      for (const OpSite& site : sites_of(graph)) {
        for (const Tactic& tactic : backend->tactics(site)) {
          const std::string name(op_name(site.node.op));
          if (tactic.inputs[0].kind == Layout::Kind::kSliced) readers.insert(name);
          if (tactic.writes_slices) writers.insert(name);
        }
      }
    }
  }

  const std::set<std::string> both{
      "Add", "AveragePool", "Clip", "Conv2d", "MaxPool", "Relu", "Sigmoid", "Tanh"};
  EXPECT_EQ(writers, both);
  std::set<std::string> and_global_pool = both;
  and_global_pool.insert("GlobalPool");
  EXPECT_EQ(readers, and_global_pool);
}

}  // namespace
}  // namespace fovea
