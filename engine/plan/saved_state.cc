#include "engine/plan/saved_state.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

#include "engine/core/require.h"
#include "engine/plan/execution_plan.h"

namespace fovea {

namespace {

static_assert(std::endian::native == std::endian::little, "plan files are little-endian");

void append_size(std::string& bytes, std::size_t size) {
  require(size <= std::numeric_limits<std::uint32_t>::max(), "a saved text is under 4 GiB");
  const auto number = static_cast<std::uint32_t>(size);
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// Takes bytes from the front, entry by entry.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  void start_entry() { ++entry_; }

  [[noreturn]] void fail(const char* what) const {
    throw Error(ErrorCode::kPlanCorrupt, cat("entry ", entry_, " ", what));
  }

  [[nodiscard]] std::size_t take_size() {
    std::uint32_t size = 0;
    std::memcpy(&size, take(sizeof size).data(), sizeof size);
    return size;
  }

  [[nodiscard]] std::string take_text(std::size_t size) {
    const auto bytes = take(size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const std::byte> take(std::size_t size) {
    if (size > rest_.size()) fail("is longer than the section");
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  std::span<const std::byte> rest_;
  std::size_t entry_ = 0;  ///< from 1
};

}  // namespace

std::string to_bytes(const SavedState& state) {
  std::string bytes;
  for (const auto& [key, text] : state) {
    append_size(bytes, key.size());
    append_size(bytes, text.size());
    bytes.append(key).append(text);
  }
  return bytes;
}

SavedState parse_saved_state(std::span<const std::byte> bytes) {
  SavedState state;
  Reader reader(bytes);
  while (!reader.at_end()) {
    reader.start_entry();
    const std::size_t key_bytes = reader.take_size();
    const std::size_t text_bytes = reader.take_size();
    std::string key = reader.take_text(key_bytes);
    if (!state.empty() && key <= state.rbegin()->first) reader.fail("is not in its place");
    state.emplace_hint(state.end(), std::move(key), reader.take_text(text_bytes));
  }
  return state;
}

void save_steps(const ExecutionPlan& plan, SavedState& state) {
  for (const BucketPlan& bucket : plan.buckets) {
    for (const PlannedStep& step : bucket.steps) step.step->save(state);
  }
}

}  // namespace fovea
