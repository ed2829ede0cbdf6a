// Pictures in, labels out.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fovea/model.h>
#include <fovea/options.h>
#include <fovea/plan.h>
#include <fovea/result.h>
#include <fovea/stage_times.h>

namespace fovea {

/// What Threading::kAuto becomes on that many CPU threads, for so many runs at a time, where that
/// is known: of one batch each.
[[nodiscard]] Threading choose_threading(const ModelGraph& network,
                                         int threads,
                                         std::optional<std::size_t> runs);

/// A compiled network with its input path and labels. One bad picture gives one Result with a
/// failure; a device error throws. Safe to use from many threads: calls take turns.
class Classifier {
 public:
  /// Throws whatever open_model and compile throw; argument/invalid for a model without a
  /// preprocessing contract, without a single picture input or probability output, or a top_k it
  /// does not have.
  [[nodiscard]] static Classifier open(std::string_view model,
                                       const ClassifierOptions& options = {});
  [[nodiscard]] static Classifier open(const Model& model, const ClassifierOptions& options = {});

  ~Classifier();
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  /// One Result per picture, in order.
  [[nodiscard]] std::vector<Result> classify(std::span<const ImageView> images);

  /// The path of a picture file, the bytes of one, or pixels. What it refers to must stay until its
  /// result is handed over.
  using Picture = std::variant<std::string, std::span<const std::byte>, ImageView>;

  /// Gives the next picture, or nothing at the end.
  using NextPicture = std::function<std::optional<Picture>()>;

  /// Takes the result of the index-th picture.
  using Sink = std::function<void(std::size_t index, Result result)>;

  /// Decodes and classifies pictures, any number of them in bounded memory. `next` and `sink` are
  /// called by one thread at a time, `sink` in the order of the pictures and as soon as it can be;
  /// they must not call the classifier. What they throw ends the call and is thrown on.
  ///
  /// expected   how many pictures there are, or are at work at a time, where that is known: decides
  ///            Threading::kAuto, and has files for a GPU decoded by all threads where there are
  ///            fewer than a batch for each (the first picture says whether they are files)
  void classify_stream(const NextPicture& next,
                       const Sink& sink,
                       std::optional<std::size_t> expected = std::nullopt);

  /// Gives the path of the next picture file, or nothing at the end.
  using NextPath = std::function<std::optional<std::string>()>;

  /// The same for files alone.
  void classify_files(const NextPath& next,
                      const Sink& sink,
                      std::optional<std::size_t> expected = std::nullopt);

  /// What a call works with.
  struct Engine {
    std::shared_ptr<const Plan> plan;  ///< the first device's; others of its kind have the same
    std::size_t devices = 1;           ///< with the network's weights on each
    std::size_t workers = 1;           ///< runs at a time, each on a thread of its own
    std::size_t arena_bytes = 0;       ///< device memory of all workers, without the weights
    std::vector<std::string> notices;  ///< Plan::notices() of all devices
  };

  /// Compiles now what calls with that `expected` use, instead of at the first one.
  Engine prepare(std::optional<std::size_t> expected = std::nullopt);

  /// Of all calls so far.
  [[nodiscard]] StageTimes stage_times() const;

  [[nodiscard]] const Model& model() const;

  /// The backend in use: what "auto" became.
  [[nodiscard]] const std::string& backend() const;

 private:
  struct Impl;
  explicit Classifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
