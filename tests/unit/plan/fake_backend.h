// A backend whose tactics take as long, and go as wrong, as a test says.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/evaluate_step.h"
#include "engine/backend/host_stream.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/weight_store.h"

namespace fovea::test {

/// How a tactic of the fake backend behaves.
struct FakeTactic {
  enum class Fault : std::uint8_t {
    kNone,
    kLastElement,  ///< its last element is off by 1
    kWritesNothing,
    kThrowsInBuild,
    kThrowsInRun,
    kThrowsInCapture,  ///< cannot be captured
  };

  std::string name;
  double microseconds = 100;
  Fault fault = Fault::kNone;
  std::string input{};   ///< the format of input 0, dense bytes under that name; empty: dense
  std::string output{};  ///< likewise of output 0
  bool writes_slices = false;
  std::size_t packed_bytes = 0;  ///< weights that it packs
  bool in_place = false;         ///< output 0 may lie where the last input lies
  std::size_t padding = 0;       ///< bytes behind the elements in the format of input 0
  std::size_t unlucky_run = 0;   ///< the one, from 1, that takes a hundred times as long
  double expected_us = 0;        ///< that it says to take; 0: it says nothing
  int threads = 0;               ///< the only number of CPU threads that it is for; 0: any
};

/// Work that was enqueued while a stream captured.
struct FakeReplay final : Replay {
  std::vector<std::function<void()>> work;
};

/// Time that passes only where a step takes some.
class FakeStream final : public HostStream {
 public:
  explicit FakeStream(bool captures) : captures_(captures) {}

  double now = 0;  ///< microseconds
  std::unique_ptr<FakeReplay> capture;

  [[nodiscard]] bool captures() const override { return captures_; }

  void begin_capture() override {
    if (capture != nullptr) throw std::logic_error("it captures already");
    capture = std::make_unique<FakeReplay>();
  }

  [[nodiscard]] std::unique_ptr<Replay> end_capture() override { return std::move(capture); }

  void replay(const Replay& replay) override {
    for (const auto& run : dynamic_cast<const FakeReplay&>(replay).work) run();
  }

  [[nodiscard]] std::unique_ptr<Event> make_event() override;
  void record(Event& event) override;

 private:
  bool captures_;
};

class FakeEvent final : public Event {
 public:
  void synchronize() override {}

  [[nodiscard]] float elapsed_ms_since(const Event& start) const override {
    return static_cast<float>((time - dynamic_cast<const FakeEvent&>(start).time) * 1e-3);
  }

  double time = 0;
};

inline std::unique_ptr<Event> FakeStream::make_event() {
  return std::make_unique<FakeEvent>();
}

inline void FakeStream::record(Event& event) {
  dynamic_cast<FakeEvent&>(event).time = now;
}

/// Wraps the step that evaluates the operator.
class FakeStep final : public Step {
 public:
  FakeStep(FakeTactic fake,
           std::size_t output_bytes,
           std::unique_ptr<Step> inner,
           std::function<void(const StepArgs&)> on_run)
      : fake_(std::move(fake)),
        output_bytes_(output_bytes),
        inner_(std::move(inner)),
        on_run_(std::move(on_run)) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& stream) const override {
    return inner_ == nullptr ? nullptr : inner_->bind(args, stream);
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    auto& fake = dynamic_cast<FakeStream&>(stream);
    if (fake.capture == nullptr) return run(args, fake);
    if (fake_.fault == FakeTactic::Fault::kThrowsInCapture) throw std::runtime_error("not so");
    fake.capture->work.emplace_back([this, args, &fake] { run(args, fake); });
  }

 private:
  void run(const StepArgs& args, FakeStream& stream) const {
    on_run_(args);
    stream.now += fake_.microseconds * (++runs_ == fake_.unlucky_run ? 100 : 1);
    if (fake_.fault == FakeTactic::Fault::kThrowsInRun) throw std::runtime_error("it broke");
    if (fake_.fault == FakeTactic::Fault::kWritesNothing) return;
    if (inner_ != nullptr) {
      inner_->enqueue(args, stream);
    } else {
      std::memcpy(args.outputs[0], args.inputs[0], output_bytes_);
    }
    if (fake_.fault == FakeTactic::Fault::kLastElement) {
      float value = 0;
      std::byte* last = args.outputs[0] + output_bytes_ - sizeof value;
      std::memcpy(&value, last, sizeof value);
      value += 1;
      std::memcpy(last, &value, sizeof value);
    }
  }

  FakeTactic fake_;
  mutable std::size_t runs_ = 0;
  std::size_t output_bytes_;
  std::unique_ptr<Step> inner_;  ///< null: a copy
  std::function<void(const StepArgs&)> on_run_;
};

/// The reference, with tactics of its own for operators that have a row in `table`. Conversions
/// copy, and take `conversion_microseconds`.
class FakeBackend final : public Backend {
 public:
  std::map<std::string, std::vector<FakeTactic>> table;  ///< by operator
  double conversion_microseconds = 50;
  double expected_conversion_us = 0;
  std::string print = "fake 1";
  std::map<std::string, std::string> refused;  ///< what refusal() says, by the node's name
  std::vector<std::string> told;               ///< notices()
  bool captures = false;                       ///< its streams
  bool host = true;                            ///< on_host()
  std::function<void()> on_run = [] {};        ///< called by every step that runs
  mutable std::size_t runs = 0;                ///< steps of the table's tactics
  mutable std::size_t runs_in_place = 0;  ///< of those, with output 0 where the last input lies

  [[nodiscard]] std::string_view name() const override { return "fake"; }

  [[nodiscard]] TargetTraits traits() const override { return {}; }

  [[nodiscard]] std::string fingerprint() const override { return print; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    const auto row = table.find(std::string(op_name(site.node.op)));
    if (row == table.end()) return {evaluate_tactic(site)};
    std::vector<Tactic> tactics;
    for (const FakeTactic& fake : row->second) {
      if (fake.threads == 0 || fake.threads == site.threads) tactics.push_back(tactic(site, fake));
    }
    return tactics;
  }

  [[nodiscard]] std::string refusal(const OpSite& site) const override {
    const auto found = refused.find(site.node.name);
    return found == refused.end() ? "" : found->second;
  }

  [[nodiscard]] std::vector<std::string> notices() const override { return told; }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    Tactic tactic;
    tactic.name = "copy";
    tactic.inputs = {from};
    tactic.outputs = {to};
    tactic.expected_us = expected_conversion_us;
    const FakeTactic fake{"copy", conversion_microseconds};
    tactic.build = [=](const BuildArgs&) {
      return std::make_unique<FakeStep>(fake, byte_size(desc), nullptr, [](auto&) {});
    };
    return tactic;
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int /*threads*/) const override {
    return std::make_unique<FakeStream>(captures);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return allocate_host(bytes);
  }

  [[nodiscard]] bool on_host() const override { return host; }

  [[nodiscard]] MemoryInfo memory_info() const override { return memory; }

  MemoryInfo memory = host_memory_info();

 private:
  [[nodiscard]] static Layout layout(const std::string& format,
                                     const TensorDesc& desc,
                                     std::size_t padding = 0) {
    return format.empty() ? Layout{} : Layout::opaque(format, byte_size(desc) + padding);
  }

  [[nodiscard]] Tactic tactic(const OpSite& site, const FakeTactic& fake) const {
    Tactic tactic = evaluate_tactic(site);
    tactic.name = fake.name;
    tactic.writes_slices = fake.writes_slices;
    tactic.expected_us = fake.expected_us;
    if (fake.in_place) tactic.aliases = {{.input = site.node.inputs.size() - 1, .output = 0}};
    tactic.inputs[0] = layout(fake.input, site.input(0), fake.padding);
    tactic.outputs[0] = layout(fake.output, site.node.outputs[0]);
    tactic.build = [this, fake, evaluate = tactic.build, bytes = byte_size(site.node.outputs[0])](
                       const BuildArgs& args) -> std::unique_ptr<Step> {
      if (fake.fault == FakeTactic::Fault::kThrowsInBuild) throw std::runtime_error("cannot build");
      if (fake.packed_bytes > 0) (void)args.weights.get(fake.name, fake.packed_bytes, [](auto) {});
      return std::make_unique<FakeStep>(fake, bytes, evaluate(args), [this](const StepArgs& step) {
        ++runs;
        runs_in_place += step.inputs.back() == step.outputs[0] ? 1U : 0U;
        on_run();
      });
    };
    return tactic;
  }
};

}  // namespace fovea::test
