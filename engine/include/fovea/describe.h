// A network for people to look at: Keras's summary, and a drawing of its layers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <fovea/graph.h>
#include <fovea/model.h>
#include <fovea/options.h>

namespace fovea {

/// What Keras's Model.summary() prints: a table of the layers with their output shapes and numbers
/// of parameters, and the totals. A network without branches has no column "Connected to". A
/// network that was imported from ONNX is listed operator by operator.
///
/// name      the model's, for the first line
/// columns   width of the terminal that it is for, >= 44; four stay free, and 92 (without branches)
///           or 112 are used at most
///
/// Throws InvalidArgument for an empty network and for fewer columns. Thread-safe.
[[nodiscard]] std::string summary(const ModelGraph& graph, std::string_view name, int columns = 80);

/// Which form of the network is drawn.
enum class PlotStage : std::uint8_t {
  kImported,   ///< its layers, as they were described
  kOptimised,  ///< its operators behind the compiler's rewrites; what is fused stands in the node
  kPlan,       ///< the same with tactics, and with the conversions and copies that the plan adds
};

/// What a drawing shows of each layer besides its name, its class and its activation.
struct PlotOptions {
  bool show_shapes = false;    ///< of its inputs and its output
  bool show_dtype = false;     ///< of its output
  bool left_to_right = false;  ///< the direction of the data; from top to bottom otherwise
  PlotStage stage = PlotStage::kImported;
  bool beside = false;       ///< draws the imported network beside another stage of it
  CompileOptions compile{};  ///< behind kImported: what it is compiled with, for the largest batch

  /// Told what that compilation has to say, each of Plan::notices(), and where other programs made
  /// the measured times too long; may be empty.
  std::function<void(const std::string&)> on_notice{};

  /// Of plot(): asked before Graphviz is started and some fifty times a second while it draws. True
  /// ends it, removes what it has written, and throws queue/cancelled. May be empty.
  std::function<bool()> stop{};
};

/// The model's network as text for Graphviz, in the look of Keras's plot_model: one table a layer.
/// Behind kImported it is the network that a classifier runs, with its head and tail, and coloured
/// by the shares that its nodes have of the time, which is measured. Stable across runs, measured
/// times aside. Throws InvalidArgument for an empty network and, behind kImported, what compile()
/// throws: weights are needed there, of any content. Thread-safe.
[[nodiscard]] std::string plot_text(const Model& model, const PlotOptions& options = {});

/// Draws the network into a file, whose extension says how: .svg, .png, .pdf, or .dot for
/// plot_text() itself. All but .dot need Graphviz: its program `dot`, found through $PATH. The file
/// appears when it is complete.
///
/// Throws Error: what plot_text() throws, argument/invalid (another extension),
/// argument/unsupported (no Graphviz, or it fails), queue/cancelled, io/write, io/no-space.
/// Thread-safe.
void plot(const Model& model, std::string_view file, const PlotOptions& options = {});

}  // namespace fovea
