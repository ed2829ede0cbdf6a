// Concat, Slice, Pad, Reshape and Transpose: elements move and keep their values.
#include <algorithm>
#include <limits>

#include "engine/graph/ops/concat.h"
#include "engine/graph/ops/pad.h"
#include "engine/graph/ops/reshape.h"
#include "engine/graph/ops/slice.h"
#include "engine/graph/ops/transpose.h"
#include "tests/unit/graph/op_testing.h"

namespace fovea {
namespace {

using test::expect_refused;
using test::f32;
using test::floats;
using test::infer;
using test::run;
using test::run_floats;
using test::Tensor;
using test::tensor;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

/// 0, 1, 2, ... of any element type, wrapped where it is narrow.
template <typename T>
Tensor counting(DType dtype, const Shape& shape) {
  std::vector<T> values(static_cast<std::size_t>(num_elements(shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i);
  return tensor(dtype, shape, values);
}

TEST(Concat, JoinsAlongTheLastAxis) {
  const Tensor a = floats({2, 1, 1, 2}, {1, 2, 3, 4});
  const Tensor b = floats({2, 1, 1, 1}, {5, 6});
  const Tensor c = floats({2, 1, 1, 3}, {7, 8, 9, 10, 11, 12});

  EXPECT_EQ(run_floats(Concat{}, {a, b, c}),
            (std::vector<float>{1, 2, 5, 7, 8, 9, 3, 4, 6, 10, 11, 12}));
  EXPECT_EQ(run_floats(Concat{}, {a}), a.floats());
}

TEST(Concat, JoinsAlongAnInnerAxisOfAnyType) {
  const Tensor a = tensor(DType::kInt64, {2, 1, 2}, std::vector<std::int64_t>{1, 2, 3, 4});
  const Tensor b =
      tensor(DType::kInt64, {2, 2, 2}, std::vector<std::int64_t>{5, 6, 7, 8, 9, 10, 11, 12});

  const Tensor y = run(Concat{.axis = 1}, {a, b})[0];

  EXPECT_EQ(y.desc, (TensorDesc{DType::kInt64, {2, 3, 2}}));
  EXPECT_EQ(y.values<std::int64_t>(),
            (std::vector<std::int64_t>{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12}));
}

TEST(Concat, PassesTheSymbolicBatchThrough) {
  EXPECT_EQ(infer(Concat{}, {f32({kBatch, 7, 7, 64}), f32({kBatch, 7, 7, 32})}),
            std::vector<TensorDesc>{f32({kBatch, 7, 7, 96})});
}

TEST(Concat, RefusesInputsThatDoNotMatch) {
  const TensorDesc a = f32({kBatch, 7, 7, 64});
  expect_refused(Concat{}, {}, {"no inputs"});
  expect_refused(Concat{},
                 {a, f32({kBatch, 7, 8, 64})},
                 {"input 1", "f32[N,7,7,64]", "f32[N,7,8,64]", "dimension 3"});
  expect_refused(Concat{}, {a, a, f32({1, 7, 7, 64})}, {"input 2", "f32[1,7,7,64]"});
  expect_refused(Concat{}, {a, f32({kBatch, 7, 64})}, {"f32[N,7,64]"});
  expect_refused(Concat{}, {a, {DType::kFloat16, a.shape}}, {"f16[N,7,7,64]"});
  expect_refused(Concat{.axis = 0}, {a, a}, {"axis is 0", "1 to 3"});
  expect_refused(Concat{.axis = 4}, {a, a}, {"axis is 4", "1 to 3"});
  expect_refused(Concat{.axis = -1}, {a, a}, {"axis is -1"});
  expect_refused(Concat{.axis = 1}, {f32({4})}, {"axis is 1", "f32[4]"});
  const TensorDesc large = f32({1, std::int64_t{1} << 40});
  expect_refused(Concat{.axis = 1}, {large, large}, {"output", "dimension 1"});
}

TEST(Slice, TakesChannelsOfEveryPixel) {
  const Tensor x = counting<float>(DType::kFloat32, {2, 1, 2, 5});

  const Tensor y = run(Slice{.begin = 1, .size = 3}, {x})[0];

  EXPECT_EQ(y.desc, f32({2, 1, 2, 3}));
  EXPECT_EQ(y.floats(), (std::vector<float>{1, 2, 3, 6, 7, 8, 11, 12, 13, 16, 17, 18}));
  EXPECT_EQ(run_floats(Slice{.begin = 4}, {x}), (std::vector<float>{4, 9, 14, 19}));
  EXPECT_EQ(run_floats(Slice{.size = 5}, {x}), x.floats());
}

TEST(Slice, TakesAnInnerAxisOfAnyType) {
  const Tensor x = counting<std::int64_t>(DType::kInt64, {2, 3, 2});

  const Tensor y = run(Slice{.axis = 1, .begin = 1, .size = 2}, {x})[0];

  EXPECT_EQ(y.desc, (TensorDesc{DType::kInt64, {2, 2, 2}}));
  EXPECT_EQ(y.values<std::int64_t>(), (std::vector<std::int64_t>{2, 3, 4, 5, 8, 9, 10, 11}));
}

TEST(Slice, GivesTheInputsOfAConcatBack) {
  const Tensor a = counting<std::uint8_t>(DType::kUInt8, {2, 3, 4, 5});
  const Tensor b = counting<std::uint8_t>(DType::kUInt8, {2, 3, 4, 2});
  const Tensor both = run(Concat{}, {a, b})[0];

  EXPECT_EQ(run(Slice{.begin = 0, .size = 5}, {both})[0].bytes, a.bytes);
  EXPECT_EQ(run(Slice{.begin = 5, .size = 2}, {both})[0].bytes, b.bytes);
}

TEST(Slice, PassesTheSymbolicBatchThrough) {
  EXPECT_EQ(infer(Slice{.begin = 64, .size = 96}, {f32({kBatch, 28, 28, 176})}),
            std::vector<TensorDesc>{f32({kBatch, 28, 28, 96})});
}

TEST(Slice, RefusesWhatLiesOutside) {
  const TensorDesc x = f32({kBatch, 7, 7, 64});
  expect_refused(Slice{.axis = 0}, {x}, {"axis is 0", "x is f32[N,7,7,64]", "1 to 3"});
  expect_refused(Slice{.axis = 4}, {x}, {"axis is 4", "1 to 3"});
  expect_refused(Slice{.axis = -1}, {x}, {"axis is -1"});
  expect_refused(Slice{.begin = -1}, {x}, {"1 elements from -1", "f32[N,7,7,64]", "dimension 3"});
  expect_refused(Slice{.begin = 60, .size = 5}, {x}, {"5 elements from 60", "64 of dimension 3"});
  expect_refused(Slice{.begin = 64}, {x}, {"1 elements from 64"});
  expect_refused(Slice{.size = 0}, {x}, {"0 elements"});
  expect_refused(Slice{.begin = 1, .size = kHuge}, {x}, {"from 1"});
  expect_refused(Slice{.begin = kHuge, .size = kHuge}, {x}, {"dimension 3"});
  expect_refused(Slice{}, {}, {"0 inputs", "takes 1"});
}

TEST(Pad, AddsABorderToEveryPicture) {
  const Tensor x = floats({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Pad pad{.pads = {1, 0, 0, 1}, .value = 9.0F};

  EXPECT_EQ(run(pad, {x})[0].desc, f32({2, 2, 3, 2}));
  EXPECT_EQ(run_floats(pad, {x}), (std::vector<float>{9, 9, 9, 9, 9, 9, 1, 2, 3, 4, 9, 9,
                                                      9, 9, 9, 9, 9, 9, 5, 6, 7, 8, 9, 9}));
}

TEST(Pad, KeepsItsFourSidesApart) {
  const Pad pad{.pads = {1, 2, 3, 4}};
  const Tensor y = run(pad, {floats({1, 1, 1, 1}, {5})})[0];

  ASSERT_EQ(y.desc, f32({1, 5, 7, 1}));
  std::vector<float> expected(35, 0.0F);
  expected[1 * 7 + 2] = 5.0F;
  EXPECT_EQ(y.floats(), expected);
}

TEST(Pad, PassesTheSymbolicBatchThrough) {
  EXPECT_EQ(infer(Pad{.pads = {3, 3, 3, 3}}, {f32({kBatch, 224, 224, 3})}),
            std::vector<TensorDesc>{f32({kBatch, 230, 230, 3})});
}

TEST(Pad, RefusesWhatItCannotAdd) {
  const TensorDesc x = f32({kBatch, 4, 4, 3});
  for (std::size_t side = 0; side < 4; ++side) {
    Pad pad;
    pad.pads[side] = -1;
    expect_refused(pad, {x}, {"-1"});
    pad.pads[side] = kHuge;
    expect_refused(pad, {x}, {"padded by"});
  }
  expect_refused(Pad{.pads = {std::int64_t{1} << 40, 0, 0, 0}}, {x}, {"output", "dimension 1"});
  expect_refused(Pad{}, {{DType::kUInt8, x.shape}}, {"u8[N,4,4,3]", "f32"});
  expect_refused(Pad{}, {f32({kBatch, 4})}, {"f32[N,4]", "4 dimensions"});
  expect_refused(Pad{}, {x, x}, {"2 inputs", "takes 1"});
}

TEST(Reshape, KeepsTheOrderOfTheElements) {
  const Tensor x = counting<std::uint8_t>(DType::kUInt8, {2, 3, 4});

  const Tensor y = run(Reshape{.shape = {4, 6}}, {x})[0];

  EXPECT_EQ(y.desc, (TensorDesc{DType::kUInt8, {4, 6}}));
  EXPECT_EQ(y.bytes, x.bytes);
}

TEST(Reshape, FlattensPicturesOfASymbolicBatch) {
  EXPECT_EQ(infer(Reshape{.shape = {kBatch, 25088}}, {f32({kBatch, 7, 7, 512})}),
            std::vector<TensorDesc>{f32({kBatch, 25088})});
  EXPECT_EQ(infer(Reshape{.shape = {kBatch}}, {f32({kBatch, 1, 1})}),
            std::vector<TensorDesc>{f32({kBatch})});
  EXPECT_EQ(infer(Reshape{.shape = {}}, {f32({1, 1})}), std::vector<TensorDesc>{f32({})});
  EXPECT_EQ(infer(Reshape{.shape = {6}}, {f32({2, 3})}), std::vector<TensorDesc>{f32({6})});
}

TEST(Reshape, RefusesOtherNumbersOfElements) {
  expect_refused(
      Reshape{.shape = {kBatch, 25}}, {f32({kBatch, 5, 6})}, {"f32[N,5,6]", "f32[N,25]"});
  expect_refused(Reshape{.shape = {2, 3}}, {f32({7})}, {"f32[7]", "f32[2,3]"});
  expect_refused(
      Reshape{.shape = {8, 30}}, {f32({kBatch, 30})}, {"f32[N,30]", "f32[8,30]", "batch"});
  expect_refused(
      Reshape{.shape = {kBatch, 30}}, {f32({8, 30})}, {"f32[8,30]", "f32[N,30]", "batch"});
  expect_refused(Reshape{.shape = {2, -1}}, {f32({2, 3})}, {"dimension 1"});
  expect_refused(Reshape{.shape = {0, 3}}, {f32({2, 3})}, {"dimension 0"});
  expect_refused(Reshape{.shape = {-2, 3}}, {f32({2, 3})}, {"dimension 0"});
  expect_refused(Reshape{.shape = {kHuge, kHuge}}, {f32({1})}, {"output"});
  expect_refused(Reshape{.shape = Shape(9, 1)}, {f32({1})}, {"9 dimensions"});
  expect_refused(Reshape{.shape = {1}}, {}, {"0 inputs", "takes 1"});
}

/// Moves every element by its index.
template <typename T>
std::vector<T> transposed(const Tensor& x, const std::vector<std::int64_t>& perm) {
  const std::size_t rank = perm.size();
  std::vector<std::size_t> strides(rank, 1);
  for (std::size_t d = rank; d-- > 1;) {
    strides[d - 1] = strides[d] * static_cast<std::size_t>(x.desc.shape[d]);
  }
  const std::vector<T> values = x.values<T>();
  std::vector<T> y(values.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::size_t rest = i;
    std::size_t from = 0;
    for (std::size_t d = rank; d-- > 0;) {
      const auto source = static_cast<std::size_t>(perm[d]);
      const auto size = static_cast<std::size_t>(x.desc.shape[source]);
      from += rest % size * strides[source];
      rest /= size;
    }
    y[i] = values[from];
  }
  return y;
}

TEST(Transpose, KnowsASmallMatrix) {
  const Tensor y = run(Transpose{.perm = {1, 0}}, {floats({2, 3}, {1, 2, 3, 4, 5, 6})})[0];

  EXPECT_EQ(y.desc, f32({3, 2}));
  EXPECT_EQ(y.floats(), (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST(Transpose, MovesEveryElementForEveryPermutation) {
  std::vector<std::int64_t> perm{0, 1, 2, 3};
  do {
    for (const Shape& shape :
         {Shape{2, 3, 4, 5}, Shape{17, 1, 33, 2}, Shape{1, 1, 1, 1}, Shape{1, 40, 1, 19}}) {
      const Tensor x = counting<std::int32_t>(DType::kInt32, shape);
      ASSERT_EQ(run(Transpose{.perm = perm}, {x})[0].values<std::int32_t>(),
                transposed<std::int32_t>(x, perm))
          << to_string(x.desc) << " by " << perm[0] << perm[1] << perm[2] << perm[3];
    }
  } while (std::next_permutation(perm.begin(), perm.end()));
}

TEST(Transpose, TakesEverySizeOfElement) {
  const std::vector<std::int64_t> perm{2, 0, 1};
  const Shape shape{5, 6, 7};
  const Tensor bytes = counting<std::int8_t>(DType::kInt8, shape);
  const Tensor halves = counting<std::uint16_t>(DType::kFloat16, shape);
  const Tensor wide = counting<std::int64_t>(DType::kInt64, shape);

  EXPECT_EQ(run(Transpose{.perm = perm}, {bytes})[0].values<std::int8_t>(),
            transposed<std::int8_t>(bytes, perm));
  EXPECT_EQ(run(Transpose{.perm = perm}, {halves})[0].values<std::uint16_t>(),
            transposed<std::uint16_t>(halves, perm));
  EXPECT_EQ(run(Transpose{.perm = perm}, {wide})[0].values<std::int64_t>(),
            transposed<std::int64_t>(wide, perm));
}

TEST(Transpose, TakesEightDimensionsAndNone) {
  const std::vector<std::int64_t> perm{7, 2, 5, 0, 1, 6, 4, 3};
  const Tensor x = counting<std::int32_t>(DType::kInt32, {2, 3, 1, 2, 3, 2, 2, 3});
  EXPECT_EQ(run(Transpose{.perm = perm}, {x})[0].values<std::int32_t>(),
            transposed<std::int32_t>(x, perm));
  EXPECT_EQ(run_floats(Transpose{}, {floats({}, {3})}), (std::vector<float>{3}));
}

TEST(Transpose, KeepsTheSymbolicBatchFirst) {
  EXPECT_EQ(infer(Transpose{.perm = {0, 3, 1, 2}}, {f32({kBatch, 7, 8, 9})}),
            std::vector<TensorDesc>{f32({kBatch, 9, 7, 8})});
  expect_refused(Transpose{.perm = {1, 0}}, {f32({kBatch, 3})}, {"perm starts with 1", "f32[N,3]"});
}

TEST(Transpose, RefusesWhatIsNoPermutation) {
  const TensorDesc x = f32({2, 3, 4});
  expect_refused(Transpose{.perm = {0, 1}}, {x}, {"f32[2,3,4]", "2 dimensions"});
  expect_refused(Transpose{.perm = {0, 1, 1}}, {x}, {"dimension 1", "once"});
  expect_refused(Transpose{.perm = {0, 1, 3}}, {x}, {"dimension 3"});
  expect_refused(Transpose{.perm = {0, -1, 2}}, {x}, {"dimension -1"});
  expect_refused(Transpose{.perm = {kHuge, 1, 2}}, {x}, {"perm"});
  expect_refused(Transpose{.perm = {0}}, {}, {"0 inputs", "takes 1"});
}

}  // namespace
}  // namespace fovea
