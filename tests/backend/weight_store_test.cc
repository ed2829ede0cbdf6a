// The store of packed weights, and weights that were packed before.
#include "engine/backend/weight_store.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/reference/reference_backend.h"

namespace fovea {
namespace {

using Bytes = std::vector<std::byte>;

void no_packing(std::span<std::byte> /*out*/) {
  FAIL() << "these weights are known";
}

class WeightStoreTest : public testing::Test {
 protected:
  /// A store that knows 64 sevens under the key "sevens".
  [[nodiscard]] WeightStore prepared() const {
    auto known = std::make_shared<PackedWeights>();
    known->by_key["sevens"] = *sevens_;
    known->owner = sevens_;
    return WeightStore(*backend_, std::move(known));
  }

  std::shared_ptr<const Backend> backend_ = make_reference_backend();
  std::shared_ptr<const Bytes> sevens_ = std::make_shared<const Bytes>(64, std::byte{7});
};

TEST_F(WeightStoreTest, PacksOnceForEveryKey) {
  WeightStore store(*backend_);
  const auto first = store.get("a", 8, [](auto out) { std::ranges::fill(out, std::byte{1}); });

  EXPECT_EQ(store.get("a", 8, no_packing), first);
  EXPECT_EQ(first.get()[7], std::byte{1});
  EXPECT_EQ(store.bytes(), 8U);
}

TEST_F(WeightStoreTest, TakesKnownWeightsFromWhereTheyLie) {
  WeightStore store = prepared();

  const auto got = store.get("sevens", 64, no_packing);

  EXPECT_EQ(got.get(), sevens_->data()) << "not copied";
  EXPECT_EQ(store.bytes(), 64U);
  EXPECT_GT(sevens_.use_count(), 2) << "the step keeps the mapping alive";
}

TEST_F(WeightStoreTest, PacksWhatIsKnownInAnotherSizeOrNotAtAll) {
  WeightStore store = prepared();
  const auto ones = [](std::span<std::byte> out) { std::ranges::fill(out, std::byte{1}); };

  EXPECT_EQ(store.get("sevens", 63, ones).get()[0], std::byte{1});
  EXPECT_EQ(store.get("others", 64, ones).get()[0], std::byte{1});
}

TEST_F(WeightStoreTest, HandsOutEverythingThatIsUsedInTheOrderOfTheKeys) {
  WeightStore store = prepared();
  (void)store.get("z", 2, [](auto out) { std::ranges::fill(out, std::byte{9}); });
  (void)store.get("sevens", 64, no_packing);

  std::vector<std::pair<std::string, Bytes>> all;
  store.for_each([&](const std::string& key, std::span<const std::byte> bytes) {
    all.emplace_back(key, Bytes(bytes.begin(), bytes.end()));
  });

  EXPECT_EQ(all,
            (std::vector<std::pair<std::string, Bytes>>{{"sevens", *sevens_},
                                                        {"z", Bytes(2, std::byte{9})}}));
}

TEST_F(WeightStoreTest, StaysUsableWherePackingFails) {
  WeightStore store(*backend_);
  const auto fail = [](std::span<std::byte>) { throw InvalidArgument("no"); };

  EXPECT_THROW((void)store.get("a", 8, fail), InvalidArgument);

  EXPECT_NE(store.get("a", 8, [](auto) {}), nullptr);
  EXPECT_EQ(store.bytes(), 8U);
}

}  // namespace
}  // namespace fovea
