#include "engine/importers/known_digests.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <system_error>

#include <sys/stat.h>

#include "engine/core/env.h"
#include "engine/core/file.h"
#include "engine/core/hash.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr FileLimit kRecordLimit{1'024, ErrorCode::kIoRead};

std::int64_t nanoseconds(const ::timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// What a file is recognised by.
struct Identity {
  std::string name;          ///< of its record
  std::string state;         ///< all of it, as text
  std::int64_t changed = 0;  ///< nanoseconds since 1970

  bool operator==(const Identity&) const = default;
};

/// Nothing for what is no regular file.
std::optional<Identity> identity(const fs::path& file) {
  struct ::stat status{};
  if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const std::int64_t changed = nanoseconds(status.st_ctim);
  const std::string name = cat(status.st_dev, '-', status.st_ino);
  return Identity{
      .name = name,
      .state = cat(name, ' ', status.st_size, ' ', nanoseconds(status.st_mtim), ' ', changed),
      .changed = changed};
}

bool is_settled(const Identity& file, std::chrono::milliseconds settled) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto age = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - file.changed;
  return age > std::chrono::nanoseconds(settled).count();
}

/// "<state> <hash> <xxh3 of the rest>": a damaged record is no record.
std::string make_record(const Identity& file, const std::string& digest) {
  const std::string text = cat(file.state, ' ', digest);
  return cat(text, ' ', xxh3_128(std::as_bytes(std::span(text))), '\n');
}

/// The hash in the record, where it is one of that file.
std::optional<std::string> recall(const fs::path& record, const Identity& file) {
  std::error_code error;
  if (!fs::is_regular_file(record, error)) return std::nullopt;
  try {
    const std::string text = read_text_file(record, kRecordLimit);
    if (!text.starts_with(file.state + ' ')) return std::nullopt;
    std::string digest = text.substr(file.state.size() + 1);
    digest.erase(std::min(digest.find(' '), digest.size()));
    return text == make_record(file, digest) ? std::optional(digest) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // a record that cannot be read is none
  }
}

}  // namespace

std::string known_digest(const fs::path& file,
                         std::string_view algorithm,
                         const std::function<std::string()>& compute,
                         std::chrono::milliseconds settled) {
  const auto home = cache_home();
  const auto before = identity(file);
  if (!home || !before) return compute();
  const fs::path folder = *home / "digests";
  const fs::path record = folder / cat(before->name, '-', algorithm);
  if (auto digest = recall(record, *before)) return *std::move(digest);

  const bool keep = is_settled(*before, settled);
  std::string digest = compute();
  if (!keep || identity(file) != before) return digest;
  std::error_code ignored;  // writing says so as well
  fs::create_directories(folder, ignored);
  try {
    write_file_atomic(record, make_record(*before, digest));
  } catch (const Error&) {
    return digest;  // next time the file is hashed again
  }
  return digest;
}

}  // namespace fovea
