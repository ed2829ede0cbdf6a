// What the tuner makes of 16-bit weights that take over what the ones before them lost.
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/passes/constants.h"
#include "engine/plan/tuner.h"

namespace fovea {
namespace {

constexpr std::int64_t kChannels = 8;
constexpr std::int64_t kTaps = 9;

/// A depthwise convolution of 3x3 taps with a border of 1, or a separable one that begins with it.
class Layer {
 public:
  Layer(DType type, const std::vector<float>& taps, bool separable = false) {
    const Conv2d depthwise{.pads = {1, 1, 1, 1}, .groups = kChannels};
    std::vector<Value> inputs{graph_.add(Input{{type, {1, 5, 6, kChannels}}}, {}, "x"),
                              graph_.add(make_constant({kChannels, 3, 3, 1}, taps), {}, "taps")};
    if (separable) {
      std::vector<float> filters(static_cast<std::size_t>(kChannels * kChannels), 0.37F);
      for (std::size_t i = 0; i < filters.size(); i += kChannels) filters[i] = 300.11F;
      inputs.push_back(
          graph_.add(make_constant({kChannels, 1, 1, kChannels}, filters), {}, "filters"));
      node_ = graph_.add(SeparableConv2d{.depthwise = depthwise, .pointwise = {}}, inputs, "layer")
                  .node;
    } else {
      node_ = graph_.add(depthwise, inputs, "layer").node;
    }
  }

  [[nodiscard]] OpSite site() const {
    const Node& node = graph_.node(node_);
    return {graph_, node, std::vector<Layout>(node.inputs.size())};
  }

 private:
  Graph graph_;
  NodeId node_ = -1;
};

class CudaTuner : public testing::TestWithParam<DType> {
 protected:
  /// Measures tactics as if they were the site's own.
  [[nodiscard]] std::vector<TacticCandidate> measured(const OpSite& site,
                                                      const std::vector<Tactic>& tactics) const {
    std::vector<TacticCandidate> candidates;
    candidates.reserve(tactics.size());
    for (const Tactic& tactic : tactics) candidates.push_back({tactic.name});
    Tuner tuner(*backend_, Tuning::kFast, 100);
    (void)tuner.measure(site, tactics, 0, candidates);
    return candidates;
  }

  void expect_none_refused(const Layer& layer) const {
    const OpSite site = layer.site();
    const std::vector<Tactic> tactics = backend_->tactics(site);
    EXPECT_GE(tactics.size(), 2U);
    for (const TacticCandidate& candidate : measured(site, tactics)) {
      EXPECT_EQ(candidate.refused, "") << candidate.tactic;
    }
  }

  std::unique_ptr<Backend> backend_ = make_cuda_emu_backend();
};

/// Taps of about 1 behind one of 300, which lies outside the picture in its first row and column.
std::vector<float> behind_a_large_one() {
  std::vector<float> taps(static_cast<std::size_t>(kChannels * kTaps));
  for (std::size_t i = 0; i < taps.size(); ++i) {
    taps[i] = i % kTaps == 0 ? 300.11F : 0.9F + 0.01F * static_cast<float>(i % 13);
  }
  return taps;
}

TEST_P(CudaTuner, ALargeTapOutsideThePictureRefusesNobody) {
  expect_none_refused(Layer(GetParam(), behind_a_large_one()));
}

TEST_P(CudaTuner, ALargeTapOutsideThePictureRefusesNoSeparableOne) {
  // Nor does a large filter of a channel that has nearly nothing in it.
  std::vector<float> taps = behind_a_large_one();
  for (std::size_t i = 0; i < kTaps; ++i) taps[i] *= 1e-4F;
  expect_none_refused(Layer(GetParam(), taps, /*separable=*/true));
}

TEST_P(CudaTuner, TapsOfManySizesRefuseNobody) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::lognormal_distribution<float> size(0, 1.5F);
    std::vector<float> taps(static_cast<std::size_t>(kChannels * kTaps));
    for (float& tap : taps) tap = size(random) * (random() % 2 == 0 ? 1.0F : -1.0F);
    expect_none_refused(Layer(GetParam(), taps));
  }
}

/// What the large tap may lose is not allowed to the others.
TEST_P(CudaTuner, ATapThatIsDroppedBesideALargeOneIsRefused) {
  std::vector<float> taps = behind_a_large_one();
  const Layer layer(GetParam(), taps);
  for (std::size_t i = kTaps - 1; i < taps.size(); i += kTaps) taps[i] = 0;
  const Layer without_the_last(GetParam(), taps);

  const auto candidates = measured(layer.site(), backend_->tactics(without_the_last.site()));

  ASSERT_GE(candidates.size(), 2U);
  for (const TacticCandidate& candidate : candidates) {
    EXPECT_TRUE(candidate.refused.starts_with("its result differs")) << candidate.tactic;
  }
}

INSTANTIATE_TEST_SUITE_P(Types,
                         CudaTuner,
                         testing::Values(DType::kFloat16, DType::kBFloat16),
                         [](const auto& test) { return std::string(to_string(test.param)); });

}  // namespace
}  // namespace fovea
