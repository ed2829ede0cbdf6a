#include "engine/plan/timing_cache.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/core/file.h"
#include "engine/core/file_lock.h"
#include "engine/core/hash.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr FileLimit kLimit{.bytes = std::uint64_t{64} << 20U, .code = ErrorCode::kPlanCorrupt};

/// Writing takes milliseconds, but sixteen writers on a busy machine were seen to keep one waiting
/// for 10 s: the lock knows no queue. Whoever holds it for longer than this is stopped.
constexpr std::chrono::seconds kPatience{60};

std::string checksum(std::string_view text) {
  return xxh3_128(std::as_bytes(std::span(text)));
}

/// Takes the first line, without its end, off the text. Throws Error (plan/corrupt).
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) throw Error(ErrorCode::kPlanCorrupt, "it ends too early");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

TimingCache::TimingCache(const std::filesystem::path& folder, std::string fingerprint)
    : file_(folder / (checksum(fingerprint) + ".timing")), fingerprint_(std::move(fingerprint)) {
  choices_ = read();
}

Choices TimingCache::read() {
  std::error_code error;
  if (!std::filesystem::exists(file_, error) && !error) return {};
  try {
    const std::string content = read_text_file(file_, kLimit);
    std::string_view text = content;
    const std::string_view expected = take_line(text);
    if (checksum(text) != expected) {
      throw Error(ErrorCode::kPlanCorrupt, "its checksum does not match");
    }
    if (take_line(text) != fingerprint_) {
      throw Error(ErrorCode::kPlanCorrupt, "it is that of another backend");
    }
    return parse_choices(text);
  } catch (const Error& damage) {
    const std::string notice =
        cat("the timing cache ", file_.native(), " is left aside: ", damage.what());
    if (std::ranges::find(notices_, notice) == notices_.end()) notices_.push_back(notice);
    return {};
  }
}

const Choice* TimingCache::find(const std::string& signature) const {
  for (const Choices* choices : {&added_, &choices_}) {
    const auto found = choices->find(signature);
    if (found != choices->end()) return &found->second;
  }
  return nullptr;
}

void TimingCache::add(const std::string& signature, Choice choice) {
  added_.insert_or_assign(signature, std::move(choice));
}

bool TimingCache::save() {
  if (added_.empty()) return true;
  try {
    const std::filesystem::path folder = file_.parent_path();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
      throw Error(ErrorCode::kIoWrite,
                  cat("cannot make the folder ", folder.native(), ": ", error.message()));
    }
    const FileLock lock(file_.native() + ".lock", kPatience);
    Choices merged = read();
    for (const auto& [signature, choice] : added_) {
      const auto [entry, is_new] = merged.try_emplace(signature, choice);
      const auto known = choices_.find(signature);
      const bool as_read = known != choices_.end() && known->second == entry->second;
      if (!is_new && (as_read || (choice.full && !entry->second.full))) entry->second = choice;
    }
    const std::string text = cat(fingerprint_, '\n', choices_json(merged));
    write_file_atomic(file_, cat(checksum(text), '\n', text));
    choices_ = std::move(merged);
    added_.clear();
    return true;
  } catch (const Error& error) {
    notices_.push_back(cat("measured times are not kept: ", error.what()));
    return false;
  }
}

}  // namespace fovea
