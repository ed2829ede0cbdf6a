// One node of an ONNX graph, with attributes that are checked as they are read.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/import_worker/onnx/onnx.pb.h"

namespace fovea::onnx {

/// Of inputs: as many as the file likes.
inline constexpr int kAnyNumber = std::numeric_limits<int>::max();

/// Reads a NodeProto, which must outlive it. Every attribute that a converter asks for counts as
/// understood; check_understood() refuses the others, so that none is ever passed over in silence.
class OnnxNode {
 public:
  /// operator_set   the version that the node is meant by
  OnnxNode(const NodeProto& proto, std::int64_t operator_set)
      : proto_(&proto), operator_set_(operator_set) {}

  [[nodiscard]] const std::string& op_type() const { return proto_->op_type(); }

  [[nodiscard]] std::int64_t operator_set() const { return operator_set_; }

  /// "Conv 'name'", for messages: the node's own name, else that of its first output.
  [[nodiscard]] std::string label() const;

  /// Whether the i-th input is there; trailing inputs may be absent and others left empty.
  [[nodiscard]] bool has_input(int i) const;

  [[nodiscard]] int input_count() const { return proto_->input_size(); }

  /// The value's name. Throws model/corrupt where it is absent.
  [[nodiscard]] const std::string& input(int i) const;
  [[nodiscard]] const std::string& output() const;

  /// The name of a further output, or "" where it is not asked for.
  [[nodiscard]] std::string further_output(int i) const;

  /// Throws model/corrupt unless the node has from `least` to `most` inputs, the first `least` of
  /// them with names, and a first output, with at most `most_outputs` in all.
  void check_counts(int least, int most, int most_outputs = 1) const;

  [[nodiscard]] bool has_attribute(std::string_view name) const;

  // The attribute's value, or the fallback where there is none. Throw model/corrupt where it is of
  // another kind.
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback);
  [[nodiscard]] float real(std::string_view name, float fallback);
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback);
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view name);
  [[nodiscard]] std::optional<std::vector<float>> reals(std::string_view name);
  [[nodiscard]] std::optional<TensorProto> tensor(std::string_view name);

  /// The attribute's list of exactly `count` integers, each in [least, 2^31); `fallback` everywhere
  /// where there is no such attribute.
  [[nodiscard]] std::vector<std::int64_t> sizes(std::string_view name,
                                                std::size_t count,
                                                std::int64_t fallback,
                                                std::int64_t least);

  /// The attribute "axis" as 0 to rank - 1; the fallback may be negative as well. Throws
  /// model/corrupt for one outside -rank to rank - 1.
  [[nodiscard]] std::int64_t axis(std::int64_t fallback, std::size_t rank);

  /// Throws model/unsupported-op that names an attribute nobody asked for.
  void check_understood() const;

  /// Throw with the node in the message.
  [[noreturn]] void fail_corrupt(std::string_view what) const;
  [[noreturn]] void fail_unsupported(std::string_view what) const;

 private:
  /// The attribute, of that kind, or nullptr.
  const AttributeProto* find(std::string_view name, AttributeProto::Type type);

  const NodeProto* proto_;
  std::int64_t operator_set_;
  std::set<std::string, std::less<>> understood_;
};

}  // namespace fovea::onnx
