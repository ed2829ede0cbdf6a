#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include <fovea/classifier.h>

#include "engine/api/classify_graph.h"
#include "engine/api/compile_devices.h"
#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/api/tactic_settings.h"
#include "engine/core/printable.h"
#include "engine/core/ragged_batch.h"
#include "engine/core/require.h"
#include "engine/core/stage_clock.h"
#include "engine/graph/work.h"
#include "engine/pipeline/decode_color.h"
#include "engine/pipeline/ordered_pool.h"
#include "engine/pipeline/picture_team.h"

namespace fovea {

namespace {

/// Pictures per run on a CPU where the caller does not say. One: on every thread for itself, up to
/// sixteen give ResNet50 no more pictures a second, LeNet-5 an eighth more
/// (docs/measurements/2026-11-25-cpu-batch.md), and hold back each result until the last is there.
constexpr std::int64_t kCpuBatch = 1;

/// The same on a device with memory of its own, which one picture at a time leaves idle.
constexpr std::int64_t kDeviceBatch = 32;

/// Multiply-adds a picture below which threads that share one run wait for each other as long as
/// they save, so that one thread is given the whole picture. Between LeNet-5 (0.4 million), which
/// two threads compute no faster than one (same table), and ResNet50 (3.9 billion): 1.9 times.
constexpr std::int64_t kLeastSharedWork = 10'000'000;

/// Predictions per picture where the caller does not say.
constexpr std::int64_t kTopK = 5;

/// A picture that came without a path, in messages.
constexpr std::string_view kNameless = "the picture";

PreprocessSpec spec_for(const Model& model, const ClassifierShape& shape) {
  const std::optional<PreprocessSpec>& contract = model.preprocessing();
  if (!contract) {
    throw InvalidArgument(cat(
        "model '",
        model.name(),
        "' does not say how pictures are preprocessed; say it with a mode: none, caffe, tf, torch "
        "or unit (--mode on the command line)"));
  }
  return classifier_spec(*contract, shape);
}

std::int64_t checked_top_k(std::optional<int> top_k, std::int64_t classes) {
  if (!top_k) return std::min(kTopK, classes);
  if (*top_k < 1 || *top_k > classes) {
    throw InvalidArgument(
        cat("the network has ", classes, " classes, so top-k is 1 to ", classes, ", not ", *top_k));
  }
  return *top_k;
}

/// kThroughput, unless threads that have no picture of their own can help with another one's.
Threading threading_for(const Graph& network, int threads, std::optional<std::size_t> expected) {
  const bool few = expected && std::cmp_less(*expected, threads);
  const bool shared = few && multiply_adds(network) >= kLeastSharedWork;
  return shared || threads == 1 ? Threading::kLatency : Threading::kThroughput;
}

constexpr std::size_t ceil_div(std::size_t a, std::size_t b) {
  return a / b + (a % b == 0 ? 0 : 1);
}

/// Files that each of the threads takes at a time where there are too few to give each a batch: a
/// device computes the smaller batches one after the other, in less time than a thread decodes one.
std::size_t shared_evenly(std::size_t expected, int threads, std::size_t batch) {
  return std::clamp<std::size_t>(ceil_div(expected, static_cast<std::size_t>(threads)), 1, batch);
}

/// The backend on each device of the options. Throws as backend_for.
std::vector<std::shared_ptr<const Backend>> make_devices(const ClassifierOptions& options,
                                                         const Precompiled* precompiled) {
  const std::vector<int> numbers = options.devices.empty() ? std::vector{0} : options.devices;
  std::vector<std::shared_ptr<const Backend>> devices;
  for (auto number = numbers.begin(); number != numbers.end(); ++number) {
    if (std::find(numbers.begin(), number, *number) != number) {
      throw InvalidArgument(cat("device ", *number, " is named twice"));
    }
    devices.push_back(backend_for(options.backend, precompiled, *number));
  }
  return devices;
}

/// What compiling for each device had to tell, each sentence once.
std::vector<std::string> notices_of(std::span<const std::shared_ptr<const ExecutionPlan>> plans) {
  std::vector<std::string> notices;
  for (const auto& plan : plans) {
    for (const std::string& notice : plan->tactics.notices) {
      if (std::ranges::find(notices, notice) == notices.end()) notices.push_back(notice);
    }
  }
  return notices;
}

/// The picture, which must have one byte per channel. `name` is for messages.
Image in_bytes(Image image, std::string_view name) {
  if (image.format() == PixelFormat::kGray16) {
    throw Error(
        ErrorCode::kImageUnsupportedFormat,
        cat(name, " is 16-bit gray and cannot be classified as grayscale; convert it to 8 bits"));
  }
  return image;
}

}  // namespace

Threading choose_threading(const ModelGraph& network,
                           int threads,
                           std::optional<std::size_t> expected) {
  return threading_for(ModelGraphAccess::graph(network), threads, expected);
}

struct Classifier::Impl {
  /// The plan of each device and the workers that run them; made when they are first needed.
  struct Team {
    std::vector<std::shared_ptr<const ExecutionPlan>> plans;
    std::unique_ptr<const PictureTeam> workers;
    std::size_t chunk = 1;
  };

  Impl(Model m, const ClassifierOptions& o)
      : model(std::move(m)),
        options(o),
        threads(checked_threads(o.threads)),
        devices(make_devices(o, ModelGraphAccess::precompiled(model.graph()))),
        backend(devices.front()->name()),
        on_host(devices.front()->on_host()) {
    const Manifest& manifest = model.impl().manifest;
    const Graph& network = ModelGraphAccess::graph(model.graph());
    const ClassifierShape shape = classifier_shape(network, manifest.input_layout);
    spec = spec_for(model, shape);
    // Refused now, not at the first picture.
    (void)exact_convolutions(options.convolution);
    (void)tactic_options(compile_options(/*latency=*/true));
    const Precompiled* precompiled = ModelGraphAccess::precompiled(model.graph());
    for (const std::shared_ptr<const Backend>& device : devices) {
      require_precision(
          *device,
          options.precision ? *options.precision : default_precision(precompiled, *device));
    }
    require(options.batch >= 0, "a batch size cannot be negative");
    const std::int64_t top_k = checked_top_k(options.top_k, shape.classes);
    graph = classify_graph(network, shape, spec, top_k, manifest.logits);
  }

  [[nodiscard]] CompileOptions compile_options(bool latency) const {
    CompileOptions compile;
    compile.backend = options.backend;
    compile.convolution = options.convolution;
    compile.precision = options.precision;
    compile.tuning = options.tuning;
    compile.tuning_seconds = options.tuning_seconds;
    compile.lock = options.lock;
    if (on_host) {
      compile.buckets = {options.batch == 0 ? kCpuBatch : options.batch};
    } else {
      compile.batch = options.batch == 0 ? kDeviceBatch : options.batch;
    }
    compile.threads = latency ? threads : 1;
    return compile;
  }

  /// How many runs so many pictures are on the host, where a run is a batch.
  [[nodiscard]] std::optional<std::size_t> runs_of(std::optional<std::size_t> pictures) const {
    if (!pictures) return std::nullopt;
    return ceil_div(*pictures, static_cast<std::size_t>(std::max<std::int64_t>(options.batch, 1)));
  }

  /// The caller has the turn.
  Team& team_for(std::optional<std::size_t> expected) {
    Threading threading = options.threading;
    if (threading == Threading::kAuto) threading = threading_for(graph, threads, runs_of(expected));
    // Elsewhere the threads only load pictures.
    const bool latency = on_host && (threading == Threading::kLatency || threads == 1);
    Team& team = latency ? latency_team : throughput_team;
    if (team.workers != nullptr) return team;

    Team made;
    made.plans = compile_for_devices(
        graph, compile_options(latency), devices, ModelGraphAccess::precompiled(model.graph()));
    made.chunk = static_cast<std::size_t>(made.plans.front()->buckets.back().batch);
    made.workers = std::make_unique<const PictureTeam>(
        made.plans, spec, model.labels(), latency ? 1U : static_cast<std::size_t>(threads));
    return team = std::move(made);
  }

  /// Classifies what `next` gives until it gives nothing; one call at a time.
  void run(const NextPicture& next, const Sink& sink, std::optional<std::size_t> expected) {
    const std::lock_guard lock(turn);
    std::optional<Picture> first = next();
    if (!first) return;
    const bool decoded = !std::holds_alternative<ImageView>(*first);
    Team& team = team_for(expected);
    // Starting threads that find nothing to do would take longer than a single picture does.
    std::size_t workers = team.workers->size();
    std::size_t chunk = team.chunk;
    if (expected) {
      if (decoded && !on_host) chunk = shared_evenly(*expected, threads, chunk);
      workers = std::clamp<std::size_t>(ceil_div(*expected, chunk), 1, workers);
    }
    run_ordered({.workers = workers,
                 .chunk = chunk,
                 .next = [&]() -> std::optional<LoadPicture> {
                   std::optional<Picture> picture = first ? std::exchange(first, {}) : next();
                   if (!picture) return std::nullopt;
                   return loader(std::move(*picture));
                 },
                 .work =
                     [&](std::size_t worker, std::span<const LoadPicture> pictures) {
                       return team.workers->worker(worker).run(pictures);
                     },
                 .sink = sink});
  }

  /// What gives the picture to a worker.
  [[nodiscard]] LoadPicture loader(Picture picture) const {
    return [this, picture = std::move(picture)](StageTimes& times) -> LoadedPicture {
      StageClock clock;
      const auto decoded = [&](Image image, std::string_view name) {
        clock.end_of(times.decode_s);
        return in_bytes(std::move(image), name);
      };
      if (const auto* path = std::get_if<std::string>(&picture)) {
        return decoded(decode_file(*path, spec.color, options.limits), printable(*path));
      }
      if (const auto* bytes = std::get_if<std::span<const std::byte>>(&picture)) {
        return decoded(decode(*bytes, spec.color, options.limits), kNameless);
      }
      const auto& view = std::get<ImageView>(picture);
      if (view.format == pixel_format(spec.color)) return LoadedPicture(view);
      Image copy = in_bytes(in_color(resize(view, PreprocessSpec{}), spec.color), kNameless);
      clock.end_of(times.preprocess_s);
      return copy;
    };
  }

  Model model;
  ClassifierOptions options;
  int threads;
  std::vector<std::shared_ptr<const Backend>> devices;
  std::string backend;
  bool on_host;
  PreprocessSpec spec;
  Graph graph;
  Team latency_team;
  Team throughput_team;
  std::mutex turn;
};

Classifier::Classifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

Classifier Classifier::open(std::string_view model, const ClassifierOptions& options) {
  return open(open_model(model, options.model), options);
}

Classifier Classifier::open(const Model& model, const ClassifierOptions& options) {
  return Classifier(std::make_unique<Impl>(model, options));
}

std::vector<Result> Classifier::classify(std::span<const ImageView> images) {
  std::vector<Result> results(images.size());
  std::size_t index = 0;
  classify_stream(
      [&]() -> std::optional<Picture> {
        if (index == images.size()) return std::nullopt;
        return images[index++];
      },
      [&](std::size_t i, Result result) { results[i] = std::move(result); },
      images.size());
  return results;
}

void Classifier::classify_stream(const NextPicture& next,
                                 const Sink& sink,
                                 std::optional<std::size_t> expected) {
  impl_->run(next, sink, expected);
}

void Classifier::classify_files(const NextPath& next,
                                const Sink& sink,
                                std::optional<std::size_t> expected) {
  classify_stream([&]() -> std::optional<Picture> { return next(); }, sink, expected);
}

Classifier::Engine Classifier::prepare(std::optional<std::size_t> expected) {
  const std::lock_guard lock(impl_->turn);
  const Impl::Team& team = impl_->team_for(expected);
  return {std::make_shared<const Plan>(team.plans.front()),
          team.plans.size(),
          team.workers->size(),
          team.workers->device_bytes(),
          notices_of(team.plans)};
}

StageTimes Classifier::stage_times() const {
  const std::lock_guard lock(impl_->turn);
  StageTimes sum;
  for (const Impl::Team* team : {&impl_->latency_team, &impl_->throughput_team}) {
    if (team->workers != nullptr) sum += team->workers->times();
  }
  return sum;
}

const Model& Classifier::model() const {
  return impl_->model;
}

const std::string& Classifier::backend() const {
  return impl_->backend;
}

}  // namespace fovea
