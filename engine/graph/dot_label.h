// Labels of nodes in drawings: Keras's plot_model tables, marked up for Graphviz.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <fovea/types.h>

namespace fovea {

/// "what: value", the value in bold.
struct DotFact {
  std::string_view what;
  std::string value;
};

/// A table: a header "name (type)", then rows.
struct DotLabel {
  std::string name;
  std::string type;
  std::string_view color = "black";       ///< of the header
  std::string_view text_color = "white";  ///< of the header's text
  std::vector<DotFact> rows{};            ///< each as wide as the table
  std::vector<DotFact> cells{};           ///< the last row, side by side
};

/// The label's text, to be put between < and >.
[[nodiscard]] std::string dot_label(const DotLabel& label);

/// As NumPy and Keras call it: "float32".
[[nodiscard]] std::string_view keras_dtype(DType dtype);

/// The first lines of a drawing, behind "digraph {".
[[nodiscard]] std::string dot_style(bool left_to_right);

}  // namespace fovea
