// A network with its weights, labels and preprocessing contract.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/graph.h>
#include <fovea/options.h>

namespace fovea {

/// The name of a class.
struct Label {
  std::string id;  ///< empty where the labels have none
  std::string text;
};

/// A network that can be compiled. Immutable and cheap to copy; safe to use from many threads.
class Model {
 public:
  struct Impl;

  /// For open_model and the like; `impl` must not be null.
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  [[nodiscard]] const std::string& name() const;

  /// The network, behind preprocessing: its input is what the contract below makes of a picture.
  [[nodiscard]] const ModelGraph& graph() const;

  /// The network's inputs and outputs; the first output is the classes' scores.
  [[nodiscard]] std::vector<TensorInfo> inputs() const;
  [[nodiscard]] std::vector<TensorInfo> outputs() const;

  /// How a picture becomes the network's input; nothing for a model that came without a contract.
  [[nodiscard]] const std::optional<PreprocessSpec>& preprocessing() const;

  /// One per class, or empty where the model has none.
  [[nodiscard]] std::span<const Label> labels() const;

  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Opens a network of the zoo by name. `options` override what the model says of itself.
///
/// Throws Error: model/not-found, weights/missing, weights/shape-mismatch, model/corrupt for a
/// damaged weights file, argument/invalid.
[[nodiscard]] Model open_model(std::string_view model, const ModelOptions& options = {});

}  // namespace fovea
