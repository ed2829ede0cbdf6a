#include "engine/import_worker/onnx/onnx_file.h"

#include <limits>
#include <string>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea::onnx {

namespace {

struct VersionRange {
  std::int64_t first;
  std::int64_t last;
};

// The operators here have one meaning over the whole range, or are told apart where they do not.
constexpr VersionRange kIr{3, 14};
constexpr VersionRange kOperatorSets{7, 25};

/// protobuf's own bound for one message.
constexpr std::size_t kMaxBytes = std::numeric_limits<std::int32_t>::max();

void check_version(std::int64_t version, VersionRange range, std::string_view what) {
  if (version >= range.first && version <= range.last) return;
  throw Unsupported(cat("it is of ONNX ",
                        what,
                        " ",
                        version,
                        "; this build reads ",
                        range.first,
                        " to ",
                        range.last,
                        ": export or convert it again with one of those"),
                    ErrorCode::kModelUnsupportedFormat);
}

/// A model begins with its IR version, as every writer of the format puts it: field 1, a varint.
bool may_be_onnx(std::span<const std::byte> bytes) {
  return !bytes.empty() && bytes.front() == std::byte{0x08};
}

}  // namespace

ModelProto parse_onnx(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxBytes) {
    throw Error(ErrorCode::kModelLimit, "it is larger than the 2 GiB that an ONNX file may have");
  }
  ModelProto model;
  const bool parsed = model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!parsed && may_be_onnx(bytes)) {
    throw Error(ErrorCode::kModelCorrupt,
                "it is damaged or cut off: what it holds is no complete ONNX model");
  }
  if (!parsed || !model.has_ir_version()) {
    throw Unsupported("it is no ONNX model, nor of another format that this build imports",
                      ErrorCode::kModelUnsupportedFormat);
  }
  check_version(model.ir_version(), kIr, "IR version");
  if (!model.has_graph() || model.graph().node_size() == 0) {
    throw Error(ErrorCode::kModelCorrupt, "it has no graph; the file may be cut off");
  }
  check_version(operator_set(model), kOperatorSets, "operator set");
  return model;
}

std::int64_t operator_set(const ModelProto& model) {
  std::int64_t version = 0;
  for (const OperatorSetIdProto& set : model.opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") version = set.version();
  }
  if (version == 0) {
    throw Error(ErrorCode::kModelCorrupt, "it does not say by which operator set it is meant");
  }
  return version;
}

}  // namespace fovea::onnx
