// AlexNet and GoogLeNet, operator by operator, against the ONNX files that their weights come from:
// weights are given by order, so the order of the operators is part of what a network is.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/api/model_graph.h"
#include "engine/graph/graph.h"
#include "engine/import_worker/onnx/onnx.pb.h"
#include "models/builders/zoo.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

/// Operators as lines: what it is, its attributes, its weights as ONNX stores them, and the lines
/// of its inputs, -1 for the picture.
using Lines = std::vector<std::string>;

template <typename Range>
std::string list(const Range& values) {
  std::ostringstream text;
  for (const auto value : values) text << ' ' << value;
  return text.str();
}

/// A line of the numbers that both sides have: alpha is a float in the file.
std::string lrn_line(std::int64_t size, double alpha, double beta, double bias) {
  std::ostringstream text;
  text << "LRN " << size << ' ' << static_cast<float>(alpha) << ' ' << static_cast<float>(beta)
       << ' ' << static_cast<float>(bias);
  return text.str();
}

class FileLines {
 public:
  explicit FileLines(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    onnx::ModelProto model;
    if (!model.ParseFromIstream(&file)) throw std::runtime_error("cannot read " + path.string());
    for (const auto& tensor : model.graph().initializer()) {
      shapes_[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
      integers_[tensor.name()] = {tensor.int64_data().begin(), tensor.int64_data().end()};
      if (!tensor.has_raw_data()) continue;
      const auto count = tensor.raw_data().size() / sizeof(std::int64_t);
      integers_[tensor.name()].resize(count);
      std::memcpy(
          integers_[tensor.name()].data(), tensor.raw_data().data(), count * sizeof(std::int64_t));
    }
    for (const auto& node : model.graph().node()) add(node);
  }

  [[nodiscard]] const Lines& lines() const { return lines_; }

 private:
  static const onnx::AttributeProto* find(const onnx::NodeProto& node, std::string_view name) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() == name) return &attribute;
    }
    return nullptr;
  }

  static std::string window(const onnx::NodeProto& node) {
    return list(find(node, "kernel_shape")->ints()) + " |" + list(find(node, "strides")->ints()) +
           " |" + list(find(node, "pads")->ints());
  }

  void add(const onnx::NodeProto& node) {
    const std::string& type = node.op_type();
    if (type == "ConstantOfShape") {  // stands for a parameter
      shapes_[node.output(0)] = integers_.at(node.input(0));
      return;
    }
    if (type == "Reshape" && shapes_.contains(node.input(0))) {  // {1, 1, out, in} of old Caffe
      const auto& stored = shapes_.at(node.input(0));
      shapes_[node.output(0)] = {stored.end() - 2, stored.end()};
      return;
    }
    if (type == "Reshape" || type == "Dropout") {
      made_by_[node.output(0)] = line_of(node.input(0));
      return;
    }
    std::string line = type;
    if (type == "Conv") {
      const auto* group = find(node, "group");
      line += window(node) + " | groups " + std::to_string(group == nullptr ? 1 : group->i());
    } else if (type == "MaxPool" || type == "AveragePool") {
      line += window(node);
    } else if (type == "LRN") {
      line = lrn_line(find(node, "size")->i(),
                      find(node, "alpha")->f(),
                      find(node, "beta")->f(),
                      find(node, "bias")->f());
    }
    line += " of";
    for (const std::string& input : node.input()) {
      line += shapes_.contains(input) ? " [" + list(shapes_.at(input)) + " ]"
                                      : " " + std::to_string(line_of(input));
    }
    made_by_[node.output(0)] = static_cast<int>(lines_.size());
    lines_.push_back(line);
  }

  [[nodiscard]] int line_of(const std::string& value) const {
    const auto found = made_by_.find(value);
    return found == made_by_.end() ? -1 : found->second;
  }

  std::map<std::string, std::vector<std::int64_t>> shapes_;  // of parameters
  std::map<std::string, std::vector<std::int64_t>> integers_;
  std::map<std::string, int> made_by_;
  Lines lines_;
};

/// Of one of our nodes; the same words as for a file.
std::string describe(const Graph& graph, const Node& node) {
  const auto window = [](const auto& kernel, const auto& op) {
    return list(kernel) + " |" + list(op.strides) + " |" + list(op.pads);
  };
  if (const auto* conv = node.as<Conv2d>()) {
    const Shape& kernel = graph.desc(node.inputs[1]).shape;
    return "Conv" + window(Shape{kernel[1], kernel[2]}, *conv) + " | groups " +
           std::to_string(conv->groups);
  }
  if (const auto* pool = node.as<MaxPool>()) return "MaxPool" + window(pool->kernel, *pool);
  if (const auto* pool = node.as<AveragePool>()) {
    EXPECT_FALSE(pool->count_padding) << node.name;  // count_include_pad, 0 where absent
    return "AveragePool" + window(pool->kernel, *pool);
  }
  if (const auto* lrn = node.as<Lrn>()) {
    return lrn_line(lrn->size, lrn->alpha, lrn->beta, lrn->bias);
  }
  if (node.as<Dense>() != nullptr) return "Gemm";
  return std::string(op_name(node.op));
}

/// OHWI as OIHW.
Shape stored_shape(const Shape& shape) {
  return shape.size() == 4 ? Shape{shape[0], shape[3], shape[1], shape[2]} : shape;
}

Lines lines_of(const Graph& graph) {
  Lines lines;
  std::vector<int> made_by(static_cast<std::size_t>(graph.size()), -1);
  std::vector<bool> is_weight(static_cast<std::size_t>(graph.size()), false);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const auto index = static_cast<std::size_t>(id);
    if (node.as<Input>() != nullptr) continue;
    if (node.as<Constant>() != nullptr || node.as<Transpose>() != nullptr) {
      is_weight[index] = true;
      continue;
    }
    if (node.as<Reshape>() != nullptr) {
      made_by[index] = made_by[static_cast<std::size_t>(node.inputs[0].node)];
      continue;
    }
    std::string line = describe(graph, node) + " of";
    for (const Value& input : node.inputs) {
      const auto from = static_cast<std::size_t>(input.node);
      line += is_weight[from] ? " [" + list(stored_shape(graph.desc(input).shape)) + " ]"
                              : " " + std::to_string(made_by[from]);
    }
    made_by[index] = static_cast<int>(lines.size());
    lines.push_back(line);
  }
  return lines;
}

struct Network {
  std::string_view name;
  std::string_view file;
  std::size_t lines;
};

std::ostream& operator<<(std::ostream& stream, const Network& network) {
  return stream << network.name;
}

class ZooOnnx : public test::SharedDataTest, public testing::WithParamInterface<Network> {};

TEST_P(ZooOnnx, HasTheOperatorsOfTheFileInItsOrder) {
  const FileLines file(shared_ / "data" / "onnx-light" / GetParam().file);
  ASSERT_EQ(file.lines().size(), GetParam().lines);

  const Graph graph =
      ModelGraphAccess::graph(zoo::find(GetParam().name).build({.height = 224, .width = 224}));

  EXPECT_EQ(lines_of(graph), file.lines());
}

INSTANTIATE_TEST_SUITE_P(Caffe,
                         ZooOnnx,
                         testing::Values(Network{"alexnet", "light_bvlc_alexnet.onnx", 21},
                                         Network{"googlenet", "light_inception_v1.onnx", 141}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace fovea
