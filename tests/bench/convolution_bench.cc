// 3x3 convolutions by Winograd's algorithm and directly, in turns.
//
//   convolution_bench THREADS ROUNDS
//
// One line per layer and batch: median milliseconds of either way, and the median of the ratios
// within a round. Before each run the caches are filled with other data, as other layers would.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/passes/constants.h"
#include "engine/plan/execution_plan.h"
#include "tests/support/run_plan.h"

namespace {

using namespace fovea;  // NOLINT(google-build-using-namespace): a program of one file

struct Layer {
  const char* name;
  std::int64_t side;  ///< rows and columns of the input
  std::int64_t channels;
  std::int64_t filters;
  std::int64_t pad;
};

constexpr Layer kLayers[] = {
    {"VGG block1_conv2", 224, 64, 64, 1},
    {"VGG block2_conv1", 112, 64, 128, 1},
    {"VGG block2_conv2", 112, 128, 128, 1},
    {"VGG block3_conv1", 56, 128, 256, 1},
    {"VGG block3_conv2", 56, 256, 256, 1},
    {"VGG block4_conv1", 28, 256, 512, 1},
    {"VGG block4_conv2", 28, 512, 512, 1},
    {"VGG block5", 14, 512, 512, 1},
    {"ResNet conv2", 56, 64, 64, 1},
    {"ResNet conv3", 28, 128, 128, 1},
    {"ResNet conv4", 14, 256, 256, 1},
    {"ResNet conv5", 7, 512, 512, 1},
    {"Inception 149", 149, 32, 32, 0},
    {"Inception 147", 147, 32, 64, 1},
    {"Inception 73", 73, 80, 192, 0},
    {"Inception 35", 35, 96, 96, 1},
    {"Inception 8", 8, 448, 384, 1},
    {"few channels", 28, 16, 16, 1},
    {"few channels, large", 112, 16, 16, 1},
    {"6 x 6", 6, 256, 256, 1},
    {"5 x 5", 5, 256, 256, 1},
    {"4 x 4", 4, 256, 256, 1},
    {"3 x 3", 3, 256, 256, 1},
};

/// The one step of a convolution, with its memory.
class Convolution {
 public:
  Convolution(const Layer& layer, std::int64_t batch, int threads, bool exact) {
    Graph graph;
    const Value x = graph.add(
        Input{{DType::kFloat32, {kBatch, layer.side, layer.side, layer.channels}}}, {}, "x");
    const Shape shape{layer.filters, 3, 3, layer.channels};
    const Value weights =
        graph.add(make_constant(shape, test::random_floats(num_elements(shape), 1)), {}, "w");
    const Conv2d conv{.pads = {layer.pad, layer.pad, layer.pad, layer.pad},
                      .activation = {.kind = ActivationKind::kRelu}};
    graph.mark_output(graph.add(conv, {x, weights}, "conv"), "y");
    plan_ = compile_plan(graph,
                         make_cpu_backend(),
                         {.buckets = {batch}, .threads = threads, .exact_convolutions = exact});
    const BucketPlan& bucket = plan_->buckets.front();
    arena_ = plan_->backend->allocate(bucket.arena_bytes + bucket.workspace_bytes);
    stream_ = plan_->backend->make_stream(threads);
    const auto step = std::find_if(
        bucket.steps.begin(), bucket.steps.end(), [](const auto& s) { return s.name == "conv"; });
    step_ = &*step;
    for (const SlotId slot : step->inputs) {
      inputs_.push_back(slot == kNoSlot ? nullptr : arena_.get() + bucket.slots[slot].offset);
    }
    outputs_.push_back(arena_.get() + bucket.slots[step->outputs[0]].offset);
    const Slot& input = bucket.slots[step->inputs[0]];
    const test::Floats values = test::random_values(input.desc, 7);
    std::memcpy(arena_.get() + input.offset, values.data(), values.size() * sizeof(float));
    args_ = {inputs_, outputs_, arena_.get() + bucket.arena_bytes, nullptr};
    state_ = step->step->bind(args_, *stream_);
    args_.state = state_.get();
  }

  [[nodiscard]] double milliseconds() {
    const auto start = std::chrono::steady_clock::now();
    step_->step->enqueue(args_, *stream_);
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
  }

  [[nodiscard]] const std::string& tactic() const { return step_->tactic; }

 private:
  std::shared_ptr<const ExecutionPlan> plan_;
  std::shared_ptr<std::byte> arena_;
  std::unique_ptr<Stream> stream_;
  const PlannedStep* step_ = nullptr;
  std::vector<const std::byte*> inputs_;
  std::vector<std::byte*> outputs_;
  StepArgs args_;
  std::unique_ptr<StepState> state_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void fill_caches() {
  static std::vector<char> other(std::size_t{64} << 20U);
  for (std::size_t i = 0; i < other.size(); i += 64) ++other[i];
}

void compare(const Layer& layer, std::int64_t batch, int threads, int rounds) {
  Convolution fast(layer, batch, threads, false);
  Convolution direct(layer, batch, threads, true);
  std::vector<double> fast_ms;
  std::vector<double> direct_ms;
  std::vector<double> ratios;
  for (int round = -1; round < rounds; ++round) {
    fill_caches();
    const double d = direct.milliseconds();
    fill_caches();
    const double f = fast.milliseconds();
    if (round < 0) continue;  // warm-up
    fast_ms.push_back(f);
    direct_ms.push_back(d);
    ratios.push_back(d / f);
  }
  std::printf("| %s | %lld x %lld x %lld | %lld | %lld | %.3f | %.3f | %.2f | %s |\n",
              layer.name,
              static_cast<long long>(layer.side),
              static_cast<long long>(layer.side),
              static_cast<long long>(layer.channels),
              static_cast<long long>(layer.filters),
              static_cast<long long>(batch),
              median(direct_ms),
              median(fast_ms),
              median(ratios),
              fast.tactic().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "convolution_bench THREADS ROUNDS\n");
    return 2;
  }
  std::printf("| layer | input | filters | batch | direct, ms | chosen, ms | ratio | chosen |\n");
  std::printf("|---|---|---|---|---|---|---|---|\n");
  for (const Layer& layer : kLayers) {
    for (const std::int64_t batch : {1, 8})
      compare(layer, batch, std::atoi(argv[1]), std::atoi(argv[2]));
  }
  return 0;
}
