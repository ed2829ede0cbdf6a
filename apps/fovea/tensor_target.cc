#include <exception>
#include <mutex>
#include <random>
#include <span>
#include <thread>

#include <fovea/compiler.h>
#include <fovea/context.h>

#include "apps/fovea/bench_target.h"

namespace fovea::app {

namespace {

/// Noise, because zeros are computed with less power and so faster than pictures are: floats from
/// -1 to 1, bytes of any value. Other integers, which may be positions, stay 0.
std::vector<std::byte> noise(const TensorDesc& desc, std::uint32_t seed) {
  std::vector<std::byte> bytes(byte_size(desc));
  std::mt19937 random(seed);
  if (desc.dtype == DType::kFloat32) {
    std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
    const std::span values(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float));
    for (float& value : values) value = uniform(random);
  } else if (element_size(desc.dtype) == 1) {
    for (std::byte& value : bytes) value = static_cast<std::byte>(random() & 0xFFU);
  }
  return bytes;
}

/// Runs that keep a device busy: one copies in and one out beside the one that computes. Each has
/// memory of its own there, which for each CPU thread would be too much.
constexpr std::size_t kRunsOnADevice = 3;

/// A context with the memory that it reads and writes.
class Runner {
 public:
  Runner(const std::shared_ptr<const Plan>& plan, std::int64_t batch, std::uint32_t seed)
      : context_(plan), batch_(batch) {
    for (const TensorInfo& input : plan->inputs()) {
      inputs_.push_back(noise(with_batch(input.desc, batch), seed));
      in_.emplace_back(inputs_.back());
    }
    for (const TensorInfo& output : plan->outputs()) {
      outputs_.emplace_back(byte_size(with_batch(output.desc, batch)));
      out_.emplace_back(outputs_.back());
    }
  }

  void run() { context_.run(batch_, in_, out_, &times_); }

  [[nodiscard]] const StageTimes& times() const { return times_; }

  [[nodiscard]] std::size_t arena_bytes() const { return context_.arena_bytes(); }

 private:
  Context context_;
  std::int64_t batch_;
  std::vector<std::vector<std::byte>> inputs_;
  std::vector<std::vector<std::byte>> outputs_;
  std::vector<std::span<const std::byte>> in_;
  std::vector<std::span<std::byte>> out_;
  StageTimes times_;
};

class TensorTarget final : public BenchTarget {
 public:
  TensorTarget(const Model& model, const TargetOptions& options) {
    const Threading threading =
        choose_threading(model.graph(), options.threads, options.concurrency);
    const bool latency = threading == Threading::kLatency;
    CompileOptions compile_options;
    compile_options.backend = options.backend;
    compile_options.device = options.devices.front();
    compile_options.convolution = options.convolution;
    compile_options.precision = options.precision;
    options.tactics.apply(compile_options);
    compile_options.buckets = {options.batch};
    compile_options.threads = latency ? options.threads : 1;
    plan_ = compile(model.graph(), compile_options);
    print_notices(plan_->notices());
    if (plan_->largest_batch() != options.batch) {
      throw InvalidArgument("model '" + model.name() + "' has a batch of its own, " +
                            std::to_string(plan_->largest_batch()) + "; use --batch " +
                            std::to_string(plan_->largest_batch()));
    }
    const std::size_t most = !plan_->on_host() ? kRunsOnADevice
                             : latency         ? 1
                                               : static_cast<std::size_t>(options.threads);
    for (std::size_t i = 0; i < std::min(most, options.concurrency); ++i) {
      runners_.push_back(
          std::make_unique<Runner>(plan_, options.batch, static_cast<std::uint32_t>(i)));
    }
  }

  void run(ClosedLoop& loop) override {
    std::exception_ptr error;
    std::mutex mutex;
    const auto work = [&](Runner& runner) {
      try {
        while (const auto request = loop.take()) {
          runner.run();
          loop.answer(*request);
        }
      } catch (...) {
        loop.stop();
        const std::lock_guard lock(mutex);
        error = std::current_exception();
      }
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < runners_.size(); ++i) {
      others.emplace_back([&work, &runner = *runners_[i]] { work(runner); });
    }
    work(*runners_.front());
    others.clear();
    if (error) std::rethrow_exception(error);
  }

  [[nodiscard]] StageTimes stage_times() const override {
    StageTimes sum;
    for (const auto& runner : runners_) sum += runner->times();
    return sum;
  }

  [[nodiscard]] TargetFacts facts() const override {
    TargetFacts facts{.backend = plan_->backend(),
                      .on_host = plan_->on_host(),
                      .workers = runners_.size(),
                      .weight_bytes = plan_->weight_bytes(),
                      .device_bytes = plan_->weight_bytes(),
                      .floor = plan_->floor(plan_->largest_batch())};
    for (const auto& runner : runners_) facts.device_bytes += runner->arena_bytes();
    return facts;
  }

 private:
  std::shared_ptr<const Plan> plan_;
  std::vector<std::unique_ptr<Runner>> runners_;
};

}  // namespace

std::unique_ptr<BenchTarget> make_tensor_target(const Model& model, const TargetOptions& options) {
  return std::make_unique<TensorTarget>(model, options);
}

}  // namespace fovea::app
