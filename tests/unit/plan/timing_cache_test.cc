// What is measured once is known from then on, whatever happens to the files.
#include "engine/plan/timing_cache.h"

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/core/file.h"

namespace fovea {
namespace {

class TimingCacheTest : public testing::Test {
 protected:
  [[nodiscard]] TimingCache open(const std::string& fingerprint = "cpu 1") const {
    return {folder_.path() / "timing", fingerprint};
  }

  void store(const std::string& signature, const Choice& choice) const {
    TimingCache cache = open();
    cache.add(signature, choice);
    cache.save();
    EXPECT_TRUE(cache.notices().empty());
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
};

TEST_F(TimingCacheTest, KeepsChoices) {
  store("conv", {"jit", 12.5});

  const TimingCache cache = open();

  ASSERT_NE(cache.find("conv"), nullptr);
  EXPECT_EQ(*cache.find("conv"), (Choice{"jit", 12.5}));
  EXPECT_EQ(cache.find("other"), nullptr);
  EXPECT_TRUE(cache.notices().empty());
}

TEST_F(TimingCacheTest, KeepsWhatOthersWroteMeanwhile) {
  TimingCache early = open();
  store("a", {"of the other", 1});
  early.add("a", {"mine", 2});
  early.add("b", {"mine", 3});

  early.save();

  EXPECT_EQ(*open().find("a"), (Choice{"of the other", 1}));
  EXPECT_EQ(*open().find("b"), (Choice{"mine", 3}));
}

TEST_F(TimingCacheTest, WhatWasMeasuredMoreThoroughlyStays) {
  TimingCache early = open();
  store("a", {"fast", 1});
  store("b", {"full", 1, true});
  early.add("a", {"full", 2, true});
  early.add("b", {"fast", 2});

  early.save();

  EXPECT_EQ(*open().find("a"), (Choice{"full", 2, true}));
  EXPECT_EQ(*open().find("b"), (Choice{"full", 1, true}));
}

TEST_F(TimingCacheTest, ReplacesAChoiceThatItKnewToBeStale) {
  store("a", {"gone", 1});
  TimingCache cache = open();
  cache.add("a", {"new", 2});
  EXPECT_EQ(*cache.find("a"), (Choice{"new", 2}));

  cache.save();

  EXPECT_EQ(*open().find("a"), (Choice{"new", 2}));
}

TEST_F(TimingCacheTest, HasAFileForEveryFingerprint) {
  store("conv", {"jit", 1});

  EXPECT_EQ(open("cpu 2").find("conv"), nullptr);
  EXPECT_TRUE(open("cpu 2").notices().empty());
  EXPECT_NE(open("cpu 2").file(), open().file());
}

TEST_F(TimingCacheTest, AnyDamageIsFoundToldAndRepaired) {
  store("conv", {"jit", 1});
  const std::string whole = read_text_file(open().file());
  std::vector<std::string> damaged{"", "x", whole + "x", whole.substr(0, whole.size() - 1)};
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    damaged.push_back(whole);
    damaged.back()[i] = static_cast<char>(damaged.back()[i] ^ 1);
  }

  for (const std::string& text : damaged) {
    write_file_atomic(open().file(), text);
    TimingCache cache = open();
    ASSERT_EQ(cache.find("conv"), nullptr) << text;
    ASSERT_EQ(cache.notices().size(), 1U) << text;
    cache.add("dense", {"gemm", 2});
    cache.save();
    ASSERT_EQ(cache.notices().size(), 1U);
    ASSERT_NE(open().find("dense"), nullptr);
    ASSERT_TRUE(open().notices().empty());
  }
}

TEST_F(TimingCacheTest, AFileOfAnotherBackendUnderItsNameIsLeftAside) {
  store("conv", {"jit", 1});
  std::filesystem::copy_file(open().file(), open("cpu 2").file());

  const TimingCache cache = open("cpu 2");

  EXPECT_EQ(cache.find("conv"), nullptr);
  ASSERT_EQ(cache.notices().size(), 1U);
  EXPECT_NE(cache.notices()[0].find("another backend"), std::string::npos);
}

TEST_F(TimingCacheTest, WorksWhereNothingCanBeWritten) {
  write_file_atomic(folder_.path() / "timing",
                    std::string_view("a file where the folder would be"));
  TimingCache cache = open();
  cache.add("conv", {"jit", 1});

  cache.save();

  EXPECT_NE(cache.find("conv"), nullptr);
  ASSERT_FALSE(cache.notices().empty());
  EXPECT_NE(cache.notices().back().find("not kept"), std::string::npos);
}

TEST_F(TimingCacheTest, LosesNothingToManyWriters) {
  constexpr int kWriters = 16;
  constexpr int kRounds = 4;
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([this, w] {
        for (int r = 0; r < kRounds; ++r) {
          store("op " + std::to_string(w) + ' ' + std::to_string(r), {"tactic", 1.0 * r});
        }
      });
    }
  }

  const TimingCache cache = open();

  EXPECT_TRUE(cache.notices().empty());
  for (int w = 0; w < kWriters; ++w) {
    for (int r = 0; r < kRounds; ++r) {
      const std::string signature = "op " + std::to_string(w) + ' ' + std::to_string(r);
      EXPECT_NE(cache.find(signature), nullptr) << signature;
    }
  }
}

}  // namespace
}  // namespace fovea
