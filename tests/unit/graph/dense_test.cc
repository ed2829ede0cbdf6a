#include "engine/graph/ops/dense.h"

#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run_floats;
using test::Tensor;
using test::unknown;
using test::whole_numbers;

TEST(Dense, MultipliesByTheTransposedWeight) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor w = floats({2, 3}, {1, 10, 100, -1, 0, 1});

  EXPECT_EQ(run_floats(Dense{}, {x, w}), (std::vector<float>{321, 2, 654, 2}));
}

TEST(Dense, EqualsItsDefinitionAtEverySize) {
  for (const std::int64_t size : {1, 2, 3, 4, 5, 7, 8, 129}) {
    const Tensor x = whole_numbers({3, size}, 1);
    const Tensor w = whole_numbers({5, size}, 2);
    const Tensor bias = whole_numbers({5}, 3);

    const std::vector<float> y = run_floats(Dense{.bias = true}, {x, w, bias});

    ASSERT_EQ(y.size(), 15U);
    const auto width = static_cast<std::size_t>(size);
    for (std::size_t i = 0; i < y.size(); ++i) {
      double sum = bias.floats()[i % 5];
      for (std::size_t c = 0; c < width; ++c) {
        sum += x.floats()[i / 5 * width + c] * w.floats()[i % 5 * width + c];
      }
      EXPECT_EQ(y[i], sum) << size << " at " << i;
    }
  }
}

TEST(Dense, AddsTheBiasBeforeTheActivation) {
  const Dense dense{.bias = true, .activation = {.kind = ActivationKind::kRelu}};
  const Tensor w = floats({2, 1}, {1, 1});

  EXPECT_EQ(run_floats(dense, {floats({1, 1}, {3}), w, floats({2}, {-5, 4})}),
            (std::vector<float>{0, 7}));
}

TEST(Dense, SumsInDouble) {
  const Tensor x = floats({1, 5}, {16777216.0F, 0, 0, 0, 1.0F});

  EXPECT_EQ(run_floats(Dense{.bias = true},
                       {x, floats({1, 5}, {1, 1, 1, 1, 1}), floats({1}, {-16777216.0F})}),
            (std::vector<float>{1.0F}));
}

TEST(Dense, PassesTheSymbolicBatchThrough) {
  EXPECT_EQ(infer(Dense{}, {f32({kBatch, 2048}), f32({1000, 2048})}),
            std::vector<TensorDesc>{f32({kBatch, 1000})});
}

TEST(Dense, RefusesInputsThatDoNotMatch) {
  const TensorDesc x = f32({kBatch, 6});
  const TensorDesc w = f32({4, 6});
  expect_refused(Dense{}, {x, w, f32({4})}, {"3 inputs", "takes 2"});
  expect_refused(Dense{.bias = true}, {x, w}, {"2 inputs", "takes 3"});
  expect_refused(Dense{}, {{DType::kInt32, x.shape}, w}, {"i32[N,6]", "f32"});
  expect_refused(Dense{}, {f32({kBatch, 2, 3}), w}, {"f32[N,2,3]", "2 dimensions"});
  expect_refused(Dense{}, {x, f32({6})}, {"f32[6]", "2 dimensions"});
  expect_refused(Dense{}, {x, f32({kBatch, 6})}, {"the weight", "batch"});
  expect_refused(Dense{}, {x, f32({6, 4})}, {"f32[6,4]", "f32[6,6]"});
  expect_refused(Dense{.bias = true}, {x, w, f32({6})}, {"bias", "f32[6]", "f32[4]"});
  expect_refused(
      Dense{.activation = {.kind = unknown<ActivationKind>(7)}}, {x, w}, {"activation", "7"});
}

}  // namespace
}  // namespace fovea
