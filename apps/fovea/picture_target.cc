#include <deque>
#include <mutex>
#include <utility>

#include "apps/fovea/bench_target.h"

namespace fovea::app {

namespace {

ClassifierOptions classifier_options(const TargetOptions& options) {
  ClassifierOptions result;
  result.backend = options.backend;
  result.devices = options.devices;
  result.convolution = options.convolution;
  result.precision = options.precision;
  options.tactics.apply(result);
  result.batch = options.batch;
  result.threads = options.threads;
  return result;
}

class PictureTarget final : public BenchTarget {
 public:
  PictureTarget(const Model& model,
                const TargetOptions& options,
                std::vector<StoredPicture> pictures)
      : classifier_(Classifier::open(model, classifier_options(options))),
        options_(options),
        pictures_(std::move(pictures)),
        engine_(classifier_.prepare(pictures_at_work())) {
    print_notices(engine_.notices);
  }

  void run(ClosedLoop& loop) override {
    const auto batch = static_cast<std::size_t>(options_.batch);
    std::mutex mutex;  // `next` and `sink` run on different threads
    std::deque<ClosedLoop::Request> requests;
    std::size_t asked = 0;
    classifier_.classify_stream(
        [&]() -> std::optional<Classifier::Picture> {
          if (asked % batch == 0) {
            const auto request = loop.take();
            if (!request) return std::nullopt;
            const std::lock_guard lock(mutex);
            requests.push_back(*request);
          }
          return picture(asked++);
        },
        [&](std::size_t index, const Result& result) {
          if (result.failure) {
            loop.stop();
            throw Error(result.failure->code,
                        stored(index).path + " cannot be measured: " + result.failure->message);
          }
          if (index % batch != batch - 1) return;
          std::unique_lock lock(mutex);
          const ClosedLoop::Request request = requests.front();
          requests.pop_front();
          lock.unlock();
          loop.answer(request);
        },
        pictures_at_work());
  }

  [[nodiscard]] StageTimes stage_times() const override { return classifier_.stage_times(); }

  [[nodiscard]] TargetFacts facts() const override {
    return {.backend = classifier_.backend(),
            .on_host = engine_.plan->on_host(),
            .devices = engine_.devices,
            .workers = engine_.workers,
            .weight_bytes = engine_.plan->weight_bytes(),
            .device_bytes = engine_.devices * engine_.plan->weight_bytes() + engine_.arena_bytes,
            .floor = engine_.plan->floor(options_.batch)};
  }

 private:
  [[nodiscard]] std::size_t pictures_at_work() const {
    return options_.concurrency * static_cast<std::size_t>(options_.batch);
  }

  [[nodiscard]] const StoredPicture& stored(std::size_t index) const {
    return pictures_[index % pictures_.size()];
  }

  [[nodiscard]] Classifier::Picture picture(std::size_t index) const {
    const StoredPicture& picture = stored(index);
    if (picture.bytes.empty()) return picture.pixels.view();
    return std::span<const std::byte>(picture.bytes);
  }

  Classifier classifier_;
  TargetOptions options_;
  std::vector<StoredPicture> pictures_;
  Classifier::Engine engine_;
};

}  // namespace

std::unique_ptr<BenchTarget> make_picture_target(const Model& model,
                                                 const TargetOptions& options,
                                                 std::vector<StoredPicture> pictures) {
  return std::make_unique<PictureTarget>(model, options, std::move(pictures));
}

}  // namespace fovea::app
