// Input and Constant, and the limits that every description has to keep.
#include <limits>
#include <memory>

#include "engine/core/buffer.h"
#include "engine/graph/ops/constant.h"
#include "engine/graph/ops/input.h"
#include "engine/graph/ops/shape_rule.h"
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

Constant constant(const Tensor& values) {
  return {.desc = values.desc, .data = Buffer::from(values.bytes)};
}

TEST(Input, HasTheDescriptionThatItWasGiven) {
  const TensorDesc desc{DType::kUInt8, {kBatch, 28, 28, 1}};
  EXPECT_EQ(infer(Input{.desc = desc}, {}), std::vector<TensorDesc>{desc});
  expect_refused(Input{.desc = desc}, {desc}, {"1 inputs", "takes 0"});
}

TEST(Input, IsNeverEvaluated) {
  try {
    Input{.desc = f32({kBatch, 3})}.evaluate({}, {});
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
  }
}

TEST(Constant, GivesItsData) {
  const Tensor values = floats({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(run_floats(constant(values), {}), values.floats());
}

TEST(Constant, SaysThatItsWeightsAreMissing) {
  const Constant parameter{.desc = f32({2, 2}), .data = nullptr};
  EXPECT_EQ(infer(parameter, {}), std::vector<TensorDesc>{f32({2, 2})});
  try {
    (void)test::run(parameter, {});
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kWeightsMissing);
    EXPECT_NE(std::string(error.what()).find("f32[2,2]"), std::string::npos) << error.what();
  }
}

TEST(Constant, RefusesDataOfAnotherSize) {
  Constant wrong = constant(floats({4}, {1, 2, 3, 4}));
  wrong.desc = f32({5});
  expect_refused(wrong, {}, {"f32[5]", "20", "16"});
  wrong.desc = f32({kBatch, 4});
  expect_refused(wrong, {}, {"f32[N,4]", "batch"});
  expect_refused(Constant{.desc = f32({1}), .data = nullptr}, {f32({1})}, {"1 inputs", "takes 0"});
}

TEST(Constant, IsEqualByContent) {
  const Tensor values = floats({2}, {1, 2});
  const Constant one = constant(values);
  const Constant copy = constant(values);
  const Constant other = constant(floats({2}, {1, 3}));
  const Constant shaped{.desc = f32({1, 2}), .data = one.data};
  const Constant missing{.desc = f32({2}), .data = nullptr};

  EXPECT_EQ(one, one);
  EXPECT_EQ(one, copy);
  EXPECT_EQ(missing, missing);
  EXPECT_FALSE(one == other);
  EXPECT_FALSE(one == shaped);
  EXPECT_FALSE(one == missing);
  EXPECT_FALSE(missing == one);
}

void expect_no_description(const TensorDesc& desc, std::initializer_list<std::string_view> parts) {
  expect_refused(Input{.desc = desc}, {}, parts);
  expect_refused(Constant{.desc = desc, .data = nullptr}, {}, parts);
}

TEST(Description, HasConcreteSizesWithinTheLimits) {
  expect_no_description(f32({3, 0}), {"f32[3,0]", "dimension 1"});
  expect_no_description(f32({0}), {"f32[0]", "dimension 0"});
  expect_no_description(f32({3, kBatch}), {"dimension 1"});
  expect_no_description(f32({-2, 3}), {"dimension 0"});
  expect_no_description(f32({kMaxDim + 1}), {"dimension 0"});
  expect_no_description(f32({std::numeric_limits<std::int64_t>::max(), 4}), {"dimension 0"});
  expect_no_description(f32({kMaxDim, kMaxDim}), {"memory"});
  expect_no_description(f32({std::int64_t{1} << 31, std::int64_t{1} << 30}), {"memory"});
  expect_no_description(f32(Shape(kMaxRank + 1, 1)), {"9 dimensions", "8"});
  expect_no_description({unknown<DType>(7), {3}}, {"element type", "7"});
  EXPECT_NO_THROW((void)infer(Input{.desc = f32({kMaxDim})}, {}));
  EXPECT_NO_THROW((void)infer(Input{.desc = f32(Shape(kMaxRank, 1))}, {}));
  EXPECT_NO_THROW((void)infer(Input{.desc = {DType::kInt64, {}}}, {}));
}

}  // namespace
}  // namespace fovea
