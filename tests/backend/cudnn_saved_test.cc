// What plan files keep of cuDNN's, and whatever else may be there in its place.
#include "engine/backend/cuda/cudnn_saved.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/fake_cudnn.h"

namespace fovea::cuda {
namespace {

const CudnnConvolution kConvolution{.c = 8, .out_c = 8};

CudnnEngine two_knobs() {
  return {.index = 41, .knobs = {{2, 3}, {14, -1}}};
}

SavedState saved(const CudnnConvolution& convolution, const SavedEngine& engine) {
  SavedState state;
  save({.asked = convolution, .engine = engine, .plans = {}}, state);
  return state;
}

TEST(CudnnSaved, EnginesAreReadAsTheyAreWritten) {
  for (const CudnnEngine& engine : {CudnnEngine{}, CudnnEngine{7, {{0, 0}}}, two_knobs()}) {
    EXPECT_EQ(parse_engine(to_string(engine)), engine) << to_string(engine);
  }
  for (const char* text : {"",
                           "eng",
                           "eng1:",
                           "eng1:k",
                           "eng1:k2",
                           "eng1:k2.",
                           "eng1:k2.x",
                           "eng01",
                           "eng1 ",
                           "Eng1",
                           "eng1:k2.3:k2",
                           "eng+1",
                           "eng99999999999999999999"}) {
    EXPECT_EQ(parse_engine(text), std::nullopt) << text;
  }
}

TEST(CudnnSaved, KeepsTheEngineItsWorkspaceAndItsRank) {
  SavedState state = saved(kConvolution, {{two_knobs(), 1024, false}, 2});
  CudnnConvolution other = kConvolution;
  other.activation = ActivationKind::kClip;
  other.hi = 6.0000005F;
  state.merge(saved(other, {{CudnnEngine{.index = 1, .knobs = {}}, 0, false}, 0}));

  const SavedPlans plans(state);

  ASSERT_EQ(plans.engines(kConvolution).size(), 1U);
  const SavedEngine& engine = plans.engines(kConvolution)[0];
  EXPECT_EQ(engine.candidate.engine, two_knobs());
  EXPECT_EQ(engine.candidate.workspace_bytes, 1024U);
  EXPECT_EQ(engine.rank, 2U);
  EXPECT_EQ(plans.engines(other).size(), 1U);
  other.hi = 6;
  EXPECT_TRUE(plans.engines(other).empty()) << "bounds differ by their last digit";
  EXPECT_EQ(plans.plan(kConvolution, two_knobs()), nullptr);
  EXPECT_EQ(plans.unknown(), 0U);
}

TEST(CudnnSaved, OneConvolutionMayHaveTwoEngines) {
  SavedState state = saved(kConvolution, {{two_knobs(), 0, false}, 0});
  state.merge(saved(kConvolution, {{CudnnEngine{.index = 1, .knobs = {}}, 0, false}, 0}));

  EXPECT_EQ(SavedPlans(state).engines(kConvolution).size(), 2U);
}

TEST(CudnnSaved, KeepsWhetherSlicesAreWritten) {
  CudnnConvolution sliced = kConvolution;
  sliced.y = {.pixel_stride = 24, .alignment = 8};
  for (const bool writes : {false, true}) {
    SavedState state;
    save({.asked = kConvolution,
          .engine = {{two_knobs(), 0, false}, 0},
          .plans = {},
          .slice = {{sliced, writes}}},
         state);

    const SavedPlans plans(state);

    EXPECT_EQ(plans.writes_slice(sliced, two_knobs()), writes);
    EXPECT_EQ(plans.writes_slice(sliced, CudnnEngine{}), std::nullopt);
    EXPECT_EQ(plans.writes_slice(kConvolution, two_knobs()), std::nullopt);
    EXPECT_EQ(plans.engines(kConvolution).size(), 1U);
    EXPECT_EQ(plans.unknown(), 0U);

    for (auto& [key, text] : state) text = key.starts_with("slice of ") ? "yes" : text;
    EXPECT_EQ(SavedPlans(state).writes_slice(sliced, two_knobs()), std::nullopt);
    EXPECT_EQ(SavedPlans(state).unknown(), 1U);
  }
}

TEST(CudnnSaved, KeepsWhatSomethingElseComputesAndWhy) {
  CudnnConvolution other = kConvolution;
  other.n = 2;
  SavedState state;
  save_passed_over(kConvolution, "", state);
  save_passed_over(other, "too\nlarge", state);

  const SavedPlans plans(state);

  ASSERT_NE(plans.passed_over(kConvolution), nullptr);
  EXPECT_EQ(*plans.passed_over(kConvolution), "");
  ASSERT_NE(plans.passed_over(other), nullptr);
  EXPECT_EQ(*plans.passed_over(other), "too?large");
  other.n = 3;
  EXPECT_EQ(plans.passed_over(other), nullptr);
  EXPECT_EQ(plans.unknown(), 0U);

  for (auto& [key, text] : state) text = "\x1B[2J";
  EXPECT_EQ(*SavedPlans(state).passed_over(kConvolution), "?[2J") << "files may hold anything";
}

TEST(CudnnSaved, WhatItDoesNotKnowIsLeftAside) {
  const SavedState state = saved(kConvolution, {{two_knobs(), 1024, false}, 0});
  const std::string key = state.begin()->first;
  const auto unknown = [&](const std::string& name, const std::string& text) {
    SavedState changed = state;
    changed.erase(key);
    changed[name] = text;
    const SavedPlans plans(changed);
    EXPECT_TRUE(plans.engines(kConvolution).empty()) << name << ": " << text;
    return plans.unknown();
  };

  for (const char* text :
       {"", " ", "0", "0 ", " 0", "0 1024 ", "0 1024 1", "-1 0", "0 -1", "0 99999999999", "x y"}) {
    EXPECT_EQ(unknown(key, text), 1U) << text;
  }
  for (const std::string& name : {std::string(),
                                  std::string("engine of "),
                                  key + ":",
                                  "Engine" + key.substr(6),
                                  std::string("|")}) {
    EXPECT_EQ(unknown(name, "0 1024"), 1U) << name;
  }
}

/// Bytes that no backend wrote are entries of no use, never a crash.
TEST(CudnnSaved, TakesAnything) {
  std::mt19937 random(5);
  const SavedState state = saved(kConvolution, {{two_knobs(), 1024, false}, 0});
  for (int i = 0; i < 20'000; ++i) {
    std::string key = state.begin()->first;
    std::string text = state.begin()->second;
    for (std::string* changed : {&key, &text}) {
      const std::size_t at = random() % (changed->size() + 1);
      switch (random() % 4) {
        case 0:
          changed->resize(at);
          break;
        case 1:
          changed->insert(at, 1, static_cast<char>(random() % 256));
          break;
        case 2:
          if (at < changed->size()) (*changed)[at] = static_cast<char>(random() % 256);
          break;
        default:
          break;
      }
    }
    const SavedPlans plans(SavedState{{key, text}});
    ASSERT_LE(plans.unknown() + plans.engines(kConvolution).size(), 1U) << key << ": " << text;
  }
}

}  // namespace
}  // namespace fovea::cuda
