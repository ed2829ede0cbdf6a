// Which value of the graph stands for which value of an ONNX file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/import_worker/onnx/onnx.pb.h"

namespace fovea::onnx {

/// The order in which the graph holds the dimensions of an ONNX value. ONNX says NCHW of pictures,
/// the graph's operators want NHWC: a picture stays NHWC from one to the next, and is only turned
/// where something asks for the file's own order.
enum class Order : std::uint8_t { kFile, kNhwc };

/// Whether the value is a picture of one pixel: the same bytes in every order of dimensions.
[[nodiscard]] bool is_one_pixel(const TensorDesc& desc, Order order);

/// Where dimension i of an NCHW value lies in NHWC.
[[nodiscard]] std::int64_t nhwc_axis(std::int64_t nchw_axis);

/// The values of one graph that is being built. Initializers become Constants when they are first
/// asked for. Every function that takes a name throws model/corrupt where no node before has it.
class ValueTable {
 public:
  /// Both must outlive the table, which uses up the initializers' bytes. Throws Error where a name
  /// of the file is none: empty, not UTF-8, with control characters, over 1,000 bytes, taken twice
  /// among the initializers (model/corrupt) or kept for itself by our own format of weights
  /// (model/unsupported-format).
  ValueTable(Graph& graph, GraphProto& file);

  /// The next node of the file produces this value. Throws model/corrupt where the name is taken.
  void define(const std::string& name, Value value, Order order);

  /// The value has no counterpart: whoever asks for it gets model/unsupported-op with this message.
  void refuse(const std::string& name, std::string message);

  /// Whether the file brings the value along.
  [[nodiscard]] bool is_initializer(const std::string& name) const;

  /// The value as it is held, and in which order.
  [[nodiscard]] Value held(const std::string& name);
  [[nodiscard]] Order order(const std::string& name);

  /// The value in the file's order of dimensions, or a picture in NHWC.
  [[nodiscard]] Value in_file_order(const std::string& name);
  [[nodiscard]] Value in_nhwc(const std::string& name);

  /// A weight with its dimensions in another order, perm as of Transpose. A Constant, or a
  /// DequantizeLinear of one, is rewritten as such; for anything else a Transpose is added.
  [[nodiscard]] Value permuted_weight(const std::string& name,
                                      const std::vector<std::int64_t>& perm);

  /// The value's Constant, or nullptr where it is computed.
  [[nodiscard]] const Constant* constant(const std::string& name);

  /// A node name that neither the file nor the graph has: `name`, `what`, and a number if need be.
  [[nodiscard]] std::string free_name(std::string_view name, std::string_view what);

 private:
  struct Entry {
    Entry(Value v, Order o) : value(v), order(o) {}

    Value value;
    Order order;
    Value turned;  ///< the same in the other order, once somebody asked
    std::map<std::vector<std::int64_t>, Value> permuted;  ///< as a weight, likewise
  };

  Entry& entry(const std::string& name);
  Value turn(Entry& entry, const std::string& name);
  Value permute(const std::string& name, const std::vector<std::int64_t>& perm);

  Graph& graph_;
  std::unordered_map<std::string, TensorProto*> initializers_;
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<std::string, std::string> refused_;  ///< and the message for who asks
  std::unordered_set<std::string> names_;  ///< of the file, and those given by free_name
};

}  // namespace fovea::onnx
