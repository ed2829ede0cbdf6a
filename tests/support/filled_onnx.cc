#include "tests/support/filled_onnx.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/graph/random_weights.h"
#include "engine/import_worker/onnx/onnx.pb.h"

namespace fovea::test {

namespace {

using Dims = std::vector<std::int64_t>;

struct Range {
  double lo = 0;
  double hi = 0;
};

constexpr Range kScale{0.8, 1.2};
constexpr Range kResidualScale{0.1, 0.3};
constexpr Range kOffset{-0.1, 0.1};
constexpr Range kBias{-0.05, 0.05};

std::int64_t product(const Dims& dims, std::size_t first) {
  std::int64_t count = 1;
  for (std::size_t i = first; i < dims.size(); ++i) count *= dims[i];
  return count;
}

std::int64_t integer(const onnx::NodeProto& node, std::string_view name, std::int64_t fallback) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.i();
  }
  return fallback;
}

/// The parameters of one graph, found node by node.
class Parameters {
 public:
  Parameters(const onnx::GraphProto& graph, double head) : graph_(graph) {
    for (const onnx::TensorProto& tensor : graph.initializer()) {
      if (tensor.data_type() == kInt64) integers_[tensor.name()] = values_of(tensor);
      if (tensor.data_type() != kFloat) continue;
      own_name_[tensor.name()] = tensor.name();
      stored_[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
      shapes_[tensor.name()] = stored_[tensor.name()];
    }
    for (const onnx::NodeProto& node : graph.node()) find(node);
    Range& last = ranges_.at(last_kernel_);
    last = {last.lo * head, last.hi * head};
  }

  [[nodiscard]] const std::map<std::string, Range>& ranges() const { return ranges_; }

  [[nodiscard]] const Dims& stored_shape(const std::string& name) const { return stored_.at(name); }

 private:
  static constexpr int kFloat = 1;
  static constexpr int kInt64 = 7;

  static Dims values_of(const onnx::TensorProto& tensor) {
    if (!tensor.has_raw_data()) return {tensor.int64_data().begin(), tensor.int64_data().end()};
    Dims values(tensor.raw_data().size() / sizeof(std::int64_t));
    std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(std::int64_t));
    return values;
  }

  void add(const std::string& name, Range range) { ranges_[own_name_.at(name)] = range; }

  void add_kernel(const std::string& name, std::int64_t fan_in) {
    const double limit = std::sqrt(6.0 / static_cast<double>(fan_in));
    add(name, {-limit, limit});
    last_kernel_ = own_name_.at(name);
  }

  void find(const onnx::NodeProto& node) {
    const std::string& type = node.op_type();
    if (type == "ConstantOfShape") {
      own_name_[node.output(0)] = node.output(0);
      stored_[node.output(0)] = integers_.at(node.input(0));
      shapes_[node.output(0)] = stored_[node.output(0)];
    } else if (type == "Reshape" || type == "Unsqueeze") {
      pass_on(node);
    } else if (type == "Conv") {
      find_conv(node);
    } else if (type == "Gemm") {
      const std::size_t inputs = integer(node, "transB", 0) != 0 ? 1 : 0;
      add_kernel(node.input(1), shapes_.at(node.input(1)).at(inputs));
      add(node.input(2), kBias);
    } else if (type == "BatchNormalization") {
      add(node.input(1), is_added(node.output(0)) ? kResidualScale : kScale);
      add(node.input(2), kOffset);
      add(node.input(3), kOffset);
      add(node.input(4), kScale);
    } else if (type == "Mul" || type == "Add") {
      for (const std::string& input : node.input()) {
        if (own_name_.count(input) != 0) add(input, type == "Mul" ? kScale : kOffset);
      }
    }
  }

  void find_conv(const onnx::NodeProto& node) {
    const Dims& weights = shapes_.at(node.input(1));
    if (weights.at(1) == 1 && integer(node, "group", 1) > 1) {
      const double limit = std::sqrt(3.0 / static_cast<double>(product(weights, 2)));
      add(node.input(1), {-limit, limit});
    } else {
      add_kernel(node.input(1), product(weights, 1));
    }
    if (node.input_size() > 2) add(node.input(2), kBias);
  }

  void pass_on(const onnx::NodeProto& node) {
    const auto source = own_name_.find(node.input(0));
    if (source == own_name_.end()) return;
    const std::string name = source->second;
    own_name_[node.output(0)] = name;
    if (node.op_type() == "Reshape") shapes_[node.output(0)] = integers_.at(node.input(1));
  }

  [[nodiscard]] bool is_added(const std::string& value) const {
    return std::any_of(graph_.node().begin(), graph_.node().end(), [&](const auto& node) {
      const bool sums = node.op_type() == "Add" || node.op_type() == "Sum";
      return sums && std::count(node.input().begin(), node.input().end(), value) != 0;
    });
  }

  const onnx::GraphProto& graph_;
  std::map<std::string, Dims> integers_;
  std::map<std::string, std::string> own_name_;  ///< of the parameter that a value is
  std::map<std::string, Dims> stored_;           ///< by the parameter's own name
  std::map<std::string, Dims> shapes_;           ///< by a value's name
  std::map<std::string, Range> ranges_;
  std::string last_kernel_;
};

onnx::TensorProto filled_tensor(const std::string& name,
                                const Dims& shape,
                                Range range,
                                std::uint64_t seed) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(1);
  for (const std::int64_t dim : shape) tensor.add_dims(dim);
  std::string& bytes = *tensor.mutable_raw_data();
  bytes.resize(static_cast<std::size_t>(product(shape, 0)) * sizeof(float));
  fill_uniform(name,
               seed,
               range.lo,
               range.hi,
               {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)});
  return tensor;
}

/// Keeps the elements that `keep` holds for, in their order.
template <typename List, typename Keep>
void filter(List& list, Keep keep) {
  int kept = 0;
  for (int i = 0; i < list.size(); ++i) {
    if (keep(list.Get(i))) list.SwapElements(kept++, i);
  }
  list.DeleteSubrange(kept, list.size() - kept);
}

void fill(onnx::GraphProto& graph, std::uint64_t seed, double head) {
  const Parameters parameters(graph, head);
  const auto is_parameter = [&](const std::string& name) {
    return parameters.ranges().count(name) != 0;
  };
  filter(*graph.mutable_node(),
         [](const onnx::NodeProto& node) { return node.op_type() != "ConstantOfShape"; });
  std::set<std::string> used;
  for (const onnx::NodeProto& node : graph.node()) {
    used.insert(node.input().begin(), node.input().end());
  }
  filter(*graph.mutable_initializer(), [&](const onnx::TensorProto& tensor) {
    return used.count(tensor.name()) != 0 && !is_parameter(tensor.name());
  });
  std::set<std::string> kept;
  for (const onnx::TensorProto& tensor : graph.initializer()) kept.insert(tensor.name());
  filter(*graph.mutable_input(), [&](const onnx::ValueInfoProto& input) {
    return used.count(input.name()) != 0 && kept.count(input.name()) == 0 &&
           !is_parameter(input.name());
  });
  for (const auto& [name, range] : parameters.ranges()) {
    *graph.add_initializer() = filled_tensor(name, parameters.stored_shape(name), range, seed);
  }
}

}  // namespace

void write_filled_onnx(const std::filesystem::path& light,
                       std::uint64_t seed,
                       double head,
                       const std::filesystem::path& filled) {
  onnx::ModelProto model;
  std::ifstream in(light, std::ios::binary);
  if (!model.ParseFromIstream(&in)) throw std::runtime_error("cannot read " + light.string());
  // From version 4 on, initializers need not be listed as inputs.
  model.set_ir_version(std::max<std::int64_t>(model.ir_version(), 4));
  fill(*model.mutable_graph(), seed, head);
  std::ofstream out(filled, std::ios::binary);
  if (!model.SerializeToOstream(&out) || !out.flush()) {
    throw std::runtime_error("cannot write " + filled.string());
  }
}

}  // namespace fovea::test
