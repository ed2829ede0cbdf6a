#include "engine/pipeline/picture_worker.h"

#include <array>
#include <utility>

#include "engine/core/require.h"
#include "engine/core/stage_clock.h"
#include "engine/pipeline/predictions.h"

namespace fovea {

PictureWorker::PictureWorker(std::shared_ptr<const ExecutionPlan> plan,
                             std::span<const Label> labels)
    : context_(std::move(plan)),
      labels_(labels),
      picture_bytes_(byte_size(with_batch(context_.plan().inputs.at(0).desc, 1))),
      k_(static_cast<std::size_t>(context_.plan().outputs.at(0).desc.shape.back())) {
  require(context_.plan().inputs.size() == 1 && context_.plan().outputs.size() == 2,
          "a classifier's plan takes pictures and gives values and indices");
  const auto most = static_cast<std::size_t>(context_.plan().buckets.back().batch);
  pictures_.resize(most * picture_bytes_);
  values_.resize(most * k_);
  indices_.resize(most * k_);
}

std::vector<Result> PictureWorker::run(std::span<const LoadPicture> loads) {
  std::vector<Result> results(loads.size());
  std::vector<std::size_t> loaded;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    try {
      loads[i](pictures_.data() + loaded.size() * picture_bytes_, times_);
      loaded.push_back(i);
    } catch (const Error& error) {
      results[i].failure = Failure{error.code(), error.what()};
    }
  }
  if (loaded.empty()) return results;

  const std::size_t n = loaded.size();
  const std::span<const std::byte> input =
      std::as_bytes(std::span(pictures_).first(n * picture_bytes_));
  const std::array outputs{std::as_writable_bytes(std::span(values_).first(n * k_)),
                           std::as_writable_bytes(std::span(indices_).first(n * k_))};
  context_.run(static_cast<std::int64_t>(n), {&input, 1}, outputs, &times_);

  StageClock clock;
  for (std::size_t i = 0; i < n; ++i) {
    results[loaded[i]] = label_predictions(
        std::span(values_).subspan(i * k_, k_), std::span(indices_).subspan(i * k_, k_), labels_);
  }
  clock.end_of(times_.postprocess_s);
  return results;
}

}  // namespace fovea
