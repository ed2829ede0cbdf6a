#include "engine/core/safetensors.h"

#include <algorithm>
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
#include "engine/core/safetensors_format.h"

namespace fovea {

namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;

/// The reference implementation's limit.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// No dimension is larger, not even beside one of 0: shapes are of signed numbers.
constexpr std::uint64_t kMaxDim = std::uint64_t{1} << 62;

[[noreturn]] void fail(const std::string& what, ErrorCode code = ErrorCode::kModelCorrupt) {
  throw Error(code, cat("damaged safetensors: ", what));
}

/// One tensor's row of the header.
struct Entry {
  const safetensors::ElementType* type = nullptr;
  bool has_shape = false;
  bool has_offsets = false;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> offsets;
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
      place_ = name_ == safetensors::kMetadataKey ? Place::kMetadata : Place::kTensor;
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
    bool& seen = field_ == "shape" ? entry_.has_shape : entry_.has_offsets;
    if (place_ != Place::kTensor || (field_ != "shape" && field_ != "data_offsets") || seen) {
      misplaced("an array");
    }
    seen = true;
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
    const auto* found =
        std::find_if(safetensors::kElementTypes.begin(),
                     safetensors::kElementTypes.end(),
                     [&](const safetensors::ElementType& type) { return type.name == value; });
    if (found == safetensors::kElementTypes.end())
      fail(cat("tensor '", printable(name_), "' has an unknown element type"));
    entry_.type = found;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::kList) misplaced("a number");
    const bool is_shape = field_ == "shape";
    auto& list = is_shape ? entry_.shape : entry_.offsets;
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
    if (entries_.contains(name) || (name == safetensors::kMetadataKey && metadata_seen_)) {
      fail(cat("two tensors are called '", printable(name), "'"));
    }
    if (entries_.size() == kMaxStoredTensors) {
      fail(cat("more than ", kMaxStoredTensors, " tensors"), ErrorCode::kModelLimit);
    }
    metadata_seen_ = metadata_seen_ || name == safetensors::kMetadataKey;
    name_ = name;
    field_.clear();
    entry_ = {};
    return true;
  }

  void finish_entry() {
    if (entry_.type == nullptr || !entry_.has_shape || entry_.offsets.size() != 2) {
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
  for (const std::uint64_t dim : entry.shape) {
    if (dim > kMaxDim)
      fail(cat("tensor '", printable(name), "' has a dimension that is too large"));
  }
  std::uint64_t bytes = entry.type->bytes;
  if (std::find(entry.shape.begin(), entry.shape.end(), 0U) != entry.shape.end()) return 0;
  for (const std::uint64_t dim : entry.shape) {
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
    const std::uint64_t begin = entry.offsets[0];
    const std::uint64_t end = entry.offsets[1];
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
                                           const std::shared_ptr<const void>& owner,
                                           bool is_file) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % safetensors::kAlignment == 0) {
    return is_file ? Buffer::mapped(bytes, owner) : Buffer::view(bytes, owner);
  }
  return Buffer::from({bytes.begin(), bytes.end()});
}

/// is_file   whether the bytes are those of a mapped file
NamedTensors parse(std::span<const std::byte> bytes,
                   const std::shared_ptr<const void>& owner,
                   bool is_file) {
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
    TensorDesc desc{*entry.type->dtype, {entry.shape.begin(), entry.shape.end()}};
    const auto [begin, end] = std::pair(entry.offsets[0], entry.offsets[1]);
    tensors.emplace_hint(
        tensors.end(),
        name,
        std::pair(std::move(desc), view_or_copy(data.subspan(begin, end - begin), owner, is_file)));
  }
  return tensors;
}

}  // namespace

NamedTensors read_safetensors(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path, {kMaxTensorFileBytes, ErrorCode::kModelLimit});
  try {
    return parse_safetensors(file);
  } catch (const Error& error) {
    throw Error(error.code(), cat(path.native(), ": ", error.what()));
  }
}

NamedTensors parse_safetensors(const std::shared_ptr<const MappedFile>& file) {
  return parse(file->bytes(), file, /*is_file=*/true);
}

NamedTensors parse_safetensors(std::span<const std::byte> part,
                               const std::shared_ptr<const MappedFile>& file) {
  return parse(part, file, /*is_file=*/true);
}

NamedTensors parse_safetensors(std::span<const std::byte> bytes,
                               const std::shared_ptr<const void>& owner) {
  return parse(bytes, owner, /*is_file=*/false);
}

}  // namespace fovea
