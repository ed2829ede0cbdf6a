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
#include <fovea/precision.h>

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

  /// Whether the first output is scores that have been through no softmax; a classifier adds one.
  [[nodiscard]] bool gives_scores() const;

  /// How a picture becomes the network's input, of the network's size; nothing for a model that
  /// came without a contract.
  [[nodiscard]] const std::optional<PreprocessSpec>& preprocessing() const;

  /// One per class, or empty where the model has none.
  [[nodiscard]] std::span<const Label> labels() const;

  /// The backend that "auto" stands for: for a plan file the one that it was compiled for, where
  /// that has a device here; else "auto", the fastest one that has.
  [[nodiscard]] std::string default_backend() const;

  /// What the network is computed in where the options name no precision: for a plan file what it
  /// was compiled in, where the backend computes in that; else kFp32. Throws as compile() for a
  /// backend or a device that there is not, if the model is a plan file.
  [[nodiscard]] Precision default_precision(const std::string& backend = "auto",
                                            int device = 0) const;

  /// For people: what an importer made of the file that the model comes from; empty for others.
  [[nodiscard]] std::span<const std::string> notes() const;

  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Opens a network of the zoo by its name; else a model package (its folder, or the manifest.json
/// in it), a plan file (plan_file.h), or an ONNX file, which the program fovea-import reads in a
/// process of its own. The package it makes is kept in the cache, so that a file is imported once.
/// A name of the zoo comes first: ./NAME is a file of that name. `options` override what the model
/// says of itself. A contract and labels must fit the network, as Classifier::open needs it; a
/// model without either may be any network.
///
/// Default weights of the zoo are downloaded at first use (zoo.h), as options.on_download tells.
///
/// Throws Error: model/not-found, model/unsupported-op, model/unsupported-format, model/corrupt,
/// model/limit, model/importer-crashed, weights/missing, weights/shape-mismatch, what pull_weights
/// throws, io/read, argument/invalid (weights or a size for a file, which has its own; a contract
/// or labels that do not fit). Thread-safe.
[[nodiscard]] Model open_model(std::string_view model, const ModelOptions& options = {});

/// Writes the model into the new folder as a package, with the labels and the preprocessing that it
/// was opened with; open_model gives it back. A new folder appears when it is complete; a folder
/// that is there and empty is filled, its manifest.json last.
///
/// Throws Error: io/write where the folder is there and not empty; io/write, io/no-space;
/// argument/invalid for an empty name. Thread-safe.
void save_package(const Model& model, std::string_view folder);

}  // namespace fovea
