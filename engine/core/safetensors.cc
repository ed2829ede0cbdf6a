#include "engine/core/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/core/file.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 8;
constexpr std::string_view kMetadataKey = "__metadata__";

/// The reference implementation's limit.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// No dimension is larger, not even beside one of 0: shapes are of signed numbers.
constexpr std::uint64_t kMaxDim = std::uint64_t{1} << 62;

struct ElementType {
  std::string_view name;
  std::uint64_t bytes;
  std::optional<DType> dtype;
};

constexpr std::array<ElementType, 16> kElementTypes{{
    {"F32", 4, DType::kFloat32},
    {"F16", 2, DType::kFloat16},
    {"BF16", 2, DType::kBFloat16},
    {"I8", 1, DType::kInt8},
    {"U8", 1, DType::kUInt8},
    {"I32", 4, DType::kInt32},
    {"I64", 8, DType::kInt64},
    {"F64", 8, std::nullopt},
    {"U64", 8, std::nullopt},
    {"U32", 4, std::nullopt},
    {"I16", 2, std::nullopt},
    {"U16", 2, std::nullopt},
    {"BOOL", 1, std::nullopt},
    {"F8_E4M3", 1, std::nullopt},
    {"F8_E5M2", 1, std::nullopt},
    {"C64", 8, std::nullopt},
}};

[[noreturn]] void fail(const std::string& what, ErrorCode code = ErrorCode::kModelCorrupt) {
  throw Error(code, cat("damaged safetensors: ", what));
}

/// One tensor's row of the header.
struct Entry {
  const ElementType* type = nullptr;
  std::optional<std::vector<std::uint64_t>> shape;
  std::optional<std::vector<std::uint64_t>> offsets;
};

using Entries = std::map<std::string, Entry, std::less<>>;

/// Takes the header's JSON event by event, so that its depth and size cost nothing: whatever is not
/// the one form that the format has ends the parse at once.
class HeaderReader final : public json::json_sax_t {
 public:
  [[nodiscard]] Entries take() { return std::move(entries_); }

  bool start_object(std::size_t /*size*/) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop) {
      place_ = name_ == kMetadataKey ? Place::kMetadata : Place::kTensor;
    } else {
      misplaced("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) finish_entry();
    place_ = place_ == Place::kTop ? Place::kEnd : Place::kTop;
    return true;
  }

  bool key(string_t& key) override {
    if (place_ == Place::kTop) return start_entry(key);
    if (place_ == Place::kTensor) field_ = key;
    return true;
  }

  bool start_array(std::size_t /*size*/) override {
    auto& list = field_ == "shape" ? entry_.shape : entry_.offsets;
    if (place_ != Place::kTensor || (field_ != "shape" && field_ != "data_offsets") || list) {
      misplaced("an array");
    }
    list.emplace();
    place_ = Place::kList;
    return true;
  }

  bool end_array() override {
    place_ = Place::kTensor;
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) return true;
    if (place_ != Place::kTensor || field_ != "dtype" || entry_.type != nullptr) {
      misplaced("a string");
    }
    const auto* found = std::find_if(kElementTypes.begin(),
                                     kElementTypes.end(),
                                     [&](const ElementType& type) { return type.name == value; });
    if (found == kElementTypes.end())
      fail(cat("tensor '", printable(name_), "' has an unknown element type"));
    entry_.type = found;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::kList) misplaced("a number");
    const bool is_shape = field_ == "shape";
    auto& list = is_shape ? *entry_.shape : *entry_.offsets;
    if (is_shape && list.size() == kMaxStoredRank) {
      fail(cat("tensor '", printable(name_), "' has more than ", kMaxStoredRank, " dimensions"),
           ErrorCode::kModelLimit);
    }
    if (!is_shape && list.size() == 2) misplaced("a third offset");
    list.push_back(value);
    return true;
  }

  bool null() override { misplaced("null"); }

  bool boolean(bool /*value*/) override { misplaced("a boolean"); }

  bool number_integer(number_integer_t /*value*/) override { misplaced("a negative number"); }

  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    misplaced("a fraction");
  }

  bool binary(binary_t& /*value*/) override { misplaced("bytes"); }

  bool parse_error(std::size_t position,
                   const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    fail(cat("the header is not JSON at byte ", position));
  }

 private:
  enum class Place : std::uint8_t { kStart, kTop, kTensor, kMetadata, kList, kEnd };

  [[noreturn]] void misplaced(std::string_view what) const {
    fail(cat("the header has ", what, " where it may not, near tensor '", printable(name_), "'"));
  }

  bool start_entry(const std::string& name) {
    if (name.find('\0') != std::string::npos) fail("a tensor's name contains a zero byte");
    if (entries_.contains(name) || (name == kMetadataKey && metadata_seen_)) {
      fail(cat("two tensors are called '", printable(name), "'"));
    }
    if (entries_.size() == kMaxStoredTensors) {
      fail(cat("more than ", kMaxStoredTensors, " tensors"), ErrorCode::kModelLimit);
    }
    metadata_seen_ = metadata_seen_ || name == kMetadataKey;
    name_ = name;
    field_.clear();
    entry_ = {};
    return true;
  }

  void finish_entry() {
    if (entry_.type == nullptr || !entry_.shape || !entry_.offsets || entry_.offsets->size() != 2) {
      fail(cat("tensor '", printable(name_), "' lacks one of dtype, shape and data_offsets"));
    }
    entries_.emplace(name_, std::move(entry_));
  }

  Entries entries_;
  Place place_ = Place::kStart;
  std::string name_;
  std::string field_;
  Entry entry_;
  bool metadata_seen_ = false;
};

/// Bytes that the entry's type and shape say, at most `limit`.
std::uint64_t checked_bytes(const std::string& name, const Entry& entry, std::uint64_t limit) {
  for (const std::uint64_t dim : *entry.shape) {
    if (dim > kMaxDim)
      fail(cat("tensor '", printable(name), "' has a dimension that is too large"));
  }
  std::uint64_t bytes = entry.type->bytes;
  if (std::find(entry.shape->begin(), entry.shape->end(), 0U) != entry.shape->end()) return 0;
  for (const std::uint64_t dim : *entry.shape) {
    if (bytes > limit / dim) fail(cat("tensor '", printable(name), "' is larger than the file"));
    bytes *= dim;
  }
  return bytes;
}

/// Every byte of the data belongs to exactly one tensor, and to one of that size.
void check_cover(const Entries& entries, std::uint64_t data_bytes) {
  using Range = std::tuple<std::uint64_t, std::uint64_t, const std::string*>;
  std::vector<Range> ranges;
  ranges.reserve(entries.size());
  for (const auto& [name, entry] : entries) {
    const std::uint64_t begin = (*entry.offsets)[0];
    const std::uint64_t end = (*entry.offsets)[1];
    if (begin > end || end > data_bytes) {
      fail(cat("tensor '", printable(name), "' ends at byte ", end, " of ", data_bytes));
    }
    const std::uint64_t bytes = checked_bytes(name, entry, data_bytes);
    if (bytes != end - begin) {
      fail(cat(
          "tensor '", printable(name), "' has ", end - begin, " bytes, its shape says ", bytes));
    }
    ranges.emplace_back(begin, end, &name);
  }
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t covered = 0;
  for (const auto& [begin, end, name] : ranges) {
    if (begin != covered) {
      fail(cat("tensor '",
               printable(*name),
               "' begins at byte ",
               begin,
               ", the one before it ends at ",
               covered));
    }
    covered = end;
  }
  if (covered != data_bytes) fail(cat("the tensors end at byte ", covered, " of ", data_bytes));
}

std::shared_ptr<const Buffer> view_or_copy(std::span<const std::byte> bytes,
                                           const std::shared_ptr<const void>& owner) {
  if (std::bit_cast<std::uintptr_t>(bytes.data()) % kAlignment == 0) {
    return Buffer::view(bytes, owner);
  }
  return Buffer::from({bytes.begin(), bytes.end()});
}

std::string_view stored_name(DType dtype) {
  const auto* found = std::find_if(kElementTypes.begin(),
                                   kElementTypes.end(),
                                   [&](const ElementType& type) { return type.dtype == dtype; });
  return found->name;
}

std::string quoted(const std::string& name) {
  try {
    return json(name).dump();
  } catch (const json::exception&) {
    throw InvalidArgument("a tensor's name is not UTF-8");
  }
}

/// The order in which tensors are stored. Those of a multiple of 8 bytes come first, so they all
/// start at one; behind them larger elements come before smaller ones, which aligns each to its
/// element size.
std::vector<NamedTensors::const_iterator> storage_order(const NamedTensors& tensors) {
  std::vector<NamedTensors::const_iterator> order;
  for (auto it = tensors.begin(); it != tensors.end(); ++it) order.push_back(it);
  const auto rank = [](NamedTensors::const_iterator it) {
    const TensorDesc& desc = it->second.first;
    return byte_size(desc) % kAlignment == 0 ? 0 : 1 + kAlignment - element_size(desc.dtype);
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rank(a) < rank(b); });
  return order;
}

std::string header_text(const NamedTensors& tensors,
                        std::span<const NamedTensors::const_iterator> order) {
  std::map<std::string_view, std::uint64_t> begins;
  std::uint64_t offset = 0;
  for (const auto& it : order) {
    begins[it->first] = offset;
    offset += byte_size(it->second.first);
  }
  std::string text = "{";
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t begin = begins[name];
    if (text.size() > 1) text += ',';
    text += cat(quoted(name), R"(:{"dtype":")", stored_name(tensor.first.dtype), R"(","shape":[)");
    for (std::size_t i = 0; i < tensor.first.shape.size(); ++i) {
      text += cat(i == 0 ? "" : ",", tensor.first.shape[i]);
    }
    text += cat(R"(],"data_offsets":[)", begin, ',', begin + byte_size(tensor.first), "]}");
  }
  text += '}';
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

void check_writable(const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (name == kMetadataKey) throw InvalidArgument(cat("no tensor may be called '", name, "'"));
    if (tensor.second == nullptr)
      throw InvalidArgument(cat("tensor '", printable(name), "' has no data"));
    if (tensor.second->bytes().size() != byte_size(tensor.first)) {
      throw InvalidArgument(cat("tensor '",
                                printable(name),
                                "' is ",
                                to_string(tensor.first),
                                ", its data has ",
                                tensor.second->bytes().size(),
                                " bytes"));
    }
  }
}

}  // namespace

NamedTensors read_safetensors(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path, {kMaxTensorFileBytes, ErrorCode::kModelLimit});
  try {
    return parse_safetensors(file->bytes(), file);
  } catch (const Error& error) {
    throw Error(error.code(), cat(path.native(), ": ", error.what()));
  }
}

NamedTensors parse_safetensors(std::span<const std::byte> bytes,
                               const std::shared_ptr<const void>& owner) {
  if (bytes.size() < kLengthBytes) fail("it ends within its first eight bytes");
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), kLengthBytes);
  bytes = bytes.subspan(kLengthBytes);
  if (header_bytes > bytes.size()) {
    fail(cat("its header is to have ", header_bytes, " bytes, ", bytes.size(), " are left"));
  }
  if (header_bytes > kMaxHeaderBytes) fail("its header is too long", ErrorCode::kModelLimit);

  HeaderReader reader;
  const auto header = bytes.first(static_cast<std::size_t>(header_bytes));
  const auto* text = reinterpret_cast<const char*>(header.data());
  json::sax_parse(text, text + header.size(), &reader);
  const Entries entries = reader.take();
  const auto data = bytes.subspan(header.size());
  check_cover(entries, data.size());

  NamedTensors tensors;
  for (const auto& [name, entry] : entries) {
    if (!entry.type->dtype) continue;
    TensorDesc desc{*entry.type->dtype, {entry.shape->begin(), entry.shape->end()}};
    const auto [begin, end] = std::pair((*entry.offsets)[0], (*entry.offsets)[1]);
    tensors.emplace_hint(
        tensors.end(),
        name,
        std::pair(std::move(desc), view_or_copy(data.subspan(begin, end - begin), owner)));
  }
  return tensors;
}

void write_safetensors(const NamedTensors& tensors,
                       const std::function<void(std::span<const std::byte>)>& sink) {
  check_writable(tensors);
  const auto order = storage_order(tensors);
  const std::string header = header_text(tensors, order);
  const std::uint64_t header_bytes = header.size();
  sink(std::as_bytes(std::span(&header_bytes, 1)));
  sink(std::as_bytes(std::span(header)));
  for (const auto& it : order) sink(it->second.second->bytes());
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  AtomicFile file(path);
  write_safetensors(tensors, [&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

}  // namespace fovea
