// Pictures in, labels out.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/model.h>
#include <fovea/options.h>
#include <fovea/result.h>

namespace fovea {

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

  /// Gives the path of the next picture file, or nothing at the end.
  using NextPath = std::function<std::optional<std::string>()>;

  /// Takes the result of the index-th path.
  using Sink = std::function<void(std::size_t index, Result result)>;

  /// Reads, decodes and classifies files, any number of them in bounded memory. `next` and `sink`
  /// are called by one thread at a time, `sink` in the order of the paths and as soon as it can be;
  /// they must not call the classifier. What they throw ends the call and is thrown on.
  ///
  /// expected   how many paths there are, where that is known: decides Threading::kAuto
  void classify_files(const NextPath& next,
                      const Sink& sink,
                      std::optional<std::size_t> expected = std::nullopt);

  [[nodiscard]] const Model& model() const;

  /// The backend in use: what "auto" became.
  [[nodiscard]] const std::string& backend() const;

 private:
  struct Impl;
  explicit Classifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
