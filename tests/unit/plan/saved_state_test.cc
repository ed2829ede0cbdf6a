#include "engine/plan/saved_state.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "engine/core/require.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

SavedState two_entries() {
  return {{"a", std::string("\0\xff|\n", 4)}, {"bc", ""}};
}

TEST(SavedState, IsReadAsItIsWritten) {
  for (const SavedState& state : {SavedState{}, two_entries(), SavedState{{"", "no key"}}}) {
    EXPECT_EQ(parse_saved_state(bytes_of(to_bytes(state))), state);
  }
  EXPECT_EQ(to_bytes({{"a", "bc"}}), std::string("\1\0\0\0\2\0\0\0abc", 11));
}

TEST(SavedState, EveryShorterTextIsRefusedOrEndsBehindAnEntry) {
  const std::string all = to_bytes(two_entries());
  const std::size_t first = to_bytes({*two_entries().begin()}).size();
  for (std::size_t size = 0; size < all.size(); ++size) {
    SCOPED_TRACE(size);
    const std::string cut = all.substr(0, size);
    if (size == 0 || size == first) {
      EXPECT_EQ(to_bytes(parse_saved_state(bytes_of(cut))), cut);
      continue;
    }
    test::expect_error(ErrorCode::kPlanCorrupt,
                       cat("entry ", size < first ? 1 : 2, " is longer than the section"),
                       [&] { (void)parse_saved_state(bytes_of(cut)); });
  }
}

TEST(SavedState, KeysAscend) {
  const std::string entry = to_bytes({{"a", "b"}});
  test::expect_error(ErrorCode::kPlanCorrupt, "entry 2 is not in its place", [&] {
    (void)parse_saved_state(bytes_of(entry + entry));
  });
}

TEST(SavedState, IsEitherAsItIsWrittenOrRefused) {
  std::mt19937 random(1);
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = to_bytes(two_entries());
    text[random() % text.size()] = static_cast<char>(random() % 256);
    try {
      EXPECT_EQ(to_bytes(parse_saved_state(bytes_of(text))), text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kPlanCorrupt) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000U);
}

}  // namespace
}  // namespace fovea
