#include "kernels/softmax_topk.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/graph/ops/softmax.h"
#include "engine/graph/ops/topk.h"
#include "tests/kernels/device_test.h"

namespace fovea::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// What the rows of a case are made of.
enum class Content : std::uint8_t { kRandom, kTies, kEqual, kZeros, kSpecial };

constexpr Content kFinite[] = {Content::kRandom, Content::kTies, Content::kEqual, Content::kZeros};

std::vector<float> logits(std::size_t size, Content content) {
  std::vector<float> x = test::random_floats(size, 7, 3.0F);
  for (std::size_t i = 0; i < size; ++i) {
    if (content == Content::kTies) x[i] = std::trunc(x[i]);
    if (content == Content::kEqual) x[i] = -2.5F;
    if (content == Content::kZeros) x[i] = i % 2 == 0 ? -0.0F : 0.0F;
    if (content == Content::kSpecial) {
      constexpr float kPattern[] = {kNan, 1.0F, -kInfinity, kInfinity, kNan, -1e30F, 1e-40F};
      x[i] = i % 3 == 0 ? kPattern[i / 3 % 7] : x[i];
    }
  }
  return x;
}

struct Case {
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t k;
};

/// Both sizes of the kernel with the row in registers, and the one that counts ranks.
const std::vector<Case> kCases{{1, 1, 1},
                               {3, 10, 10},
                               {2, 31, 5},
                               {2, 32, 32},
                               {2, 33, 5},
                               {4, 1000, 5},
                               {1, 1024, 32},
                               {2, 1025, 5},
                               {1, 8192, 32},
                               {2, 40, 40},
                               {2, 300, 33},
                               {1, 8193, 5}};

class TopKTest : public test::DeviceTest {
 protected:
  struct Result {
    std::vector<float> values;
    std::vector<std::int32_t> indices;
  };

  template <typename Kernel>
  Result run(Kernel kernel, const Case& c, const std::vector<float>& x) {
    const test::DeviceArray<float> from(x);
    const auto size = static_cast<std::size_t>(c.rows * c.k);
    const test::DeviceArray<float> values(size);
    const test::DeviceArray<std::int32_t> indices(size);
    EXPECT_EQ(kernel({.x = from.data(),
                      .values = values.data(),
                      .indices = indices.data(),
                      .rows = c.rows,
                      .cols = c.cols,
                      .k = c.k},
                     stream()),
              cudaSuccess);
    return {values.download(stream()), indices.download(stream())};
  }

  static Result reference(const Case& c, const std::vector<float>& x) {
    const auto size = static_cast<std::size_t>(c.rows * c.k);
    Result result{std::vector<float>(size), std::vector<std::int32_t>(size)};
    const TensorDesc in{DType::kFloat32, {c.rows, c.cols}};
    const TensorDesc values{DType::kFloat32, {c.rows, c.k}};
    const TensorDesc indices{DType::kInt32, {c.rows, c.k}};
    const ConstTensorView input{&in, reinterpret_cast<const std::byte*>(x.data())};
    const TensorView outputs[] = {{&values, reinterpret_cast<std::byte*>(result.values.data())},
                                  {&indices, reinterpret_cast<std::byte*>(result.indices.data())}};
    TopK{.k = c.k}.evaluate({&input, 1}, outputs);
    return result;
  }
};

/// The header's bound for a row of `cols` elements, and the smallest normal number.
void expect_softmax(const std::vector<float>& got,
                    const std::vector<float>& x,
                    const std::vector<float>& expected,
                    std::int64_t cols) {
  ASSERT_EQ(got.size(), expected.size());
  double peak = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto at = x.begin() + static_cast<std::ptrdiff_t>(i);
    if (i % static_cast<std::size_t>(cols) == 0) peak = *std::max_element(at, at + cols);
    const double bound = std::ldexp(static_cast<double>(cols) / 256 + (peak - x[i]) + 20, -24);
    const double error = std::fabs(double{got[i]} - double{expected[i]});
    ASSERT_LE(error, bound * double{expected[i]} + 1.2e-38)
        << "element " << i << ": " << got[i] << " instead of " << expected[i];
  }
}

TEST_P(TopKTest, EqualsTheReferenceExactly) {
  for (const Case& c : kCases) {
    for (const Content content :
         {Content::kRandom, Content::kTies, Content::kEqual, Content::kZeros, Content::kSpecial}) {
      SCOPED_TRACE(testing::Message() << c.rows << " x " << c.cols << ", k " << c.k << ", content "
                                      << static_cast<int>(content));
      const std::vector<float> x = logits(static_cast<std::size_t>(c.rows * c.cols), content);

      const Result got = run(top_k, c, x);

      const Result expected = reference(c, x);
      EXPECT_EQ(got.indices, expected.indices);
      test::expect_near(got.values, expected.values, 0, 0);
    }
  }
}

TEST_P(TopKTest, WithSoftmaxGivesTheProbabilitiesOfTheSameClasses) {
  for (const Case& c : kCases) {
    for (const Content content : kFinite) {
      SCOPED_TRACE(testing::Message() << c.rows << " x " << c.cols << ", k " << c.k << ", content "
                                      << static_cast<int>(content));
      const std::vector<float> x = logits(static_cast<std::size_t>(c.rows * c.cols), content);
      const std::vector<float> all =
          test::evaluated(Softmax{}, {{{DType::kFloat32, {c.rows, c.cols}}, x}});

      const Result got = run(softmax_top_k, c, x);

      const Result expected = reference(c, x);
      ASSERT_EQ(got.indices, expected.indices);
      for (std::size_t i = 0; i < got.values.size(); ++i) {
        const std::size_t row =
            i / static_cast<std::size_t>(c.k) * static_cast<std::size_t>(c.cols);
        const double want = all[row + static_cast<std::size_t>(got.indices[i])];
        // The header's bound with |x - m| below 32.
        const double bound = std::ldexp(static_cast<double>(c.cols) / 256 + 32 + 20, -24);
        ASSERT_LE(std::fabs(got.values[i] - want), bound * want) << "element " << i;
      }
    }
  }
}

TEST_P(TopKTest, WithSoftmaxIsNanForARowWithNan) {
  for (const Case& c : {Case{2, 40, 5}, Case{2, 40, 40}}) {
    std::vector<float> x = logits(80, Content::kRandom);
    x[50] = kNan;

    const Result got = run(softmax_top_k, c, x);

    for (std::int64_t i = 0; i < c.rows * c.k; ++i) {
      EXPECT_EQ(std::isnan(got.values[static_cast<std::size_t>(i)]), i >= c.k);
    }
    EXPECT_EQ(got.indices, reference(c, x).indices);
  }
}

TEST_P(TopKTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(64);
  const test::DeviceArray<std::int32_t> indices(8);
  const TopKArgs good{.x = memory.data(),
                      .values = memory.data() + 32,
                      .indices = indices.data(),
                      .rows = 2,
                      .cols = 8,
                      .k = 4};
  for (const auto& break_it : std::vector<void (*)(TopKArgs&)>{
           [](TopKArgs& a) { a.rows = -1; },
           [](TopKArgs& a) { a.cols = 0; },
           [](TopKArgs& a) { a.k = 0; },
           [](TopKArgs& a) { a.k = 9; },
           [](TopKArgs& a) { a.rows = std::int64_t{1} << 31; },
           [](TopKArgs& a) { a.rows = std::int64_t{1} << 27, a.cols = 16385; }}) {
    TopKArgs bad = good;
    break_it(bad);
    EXPECT_EQ(top_k(bad, stream()), cudaErrorInvalidValue);
  }
  TopKArgs nothing = good;
  nothing.rows = 0;
  EXPECT_EQ(top_k(nothing, stream()), cudaSuccess);
}

class SoftmaxTest : public test::DeviceTest {
 protected:
  std::vector<float> run(std::int64_t rows, std::int64_t cols, const std::vector<float>& x) {
    const test::DeviceArray<float> from(x);
    const test::DeviceArray<float> to(x.size());
    EXPECT_EQ(softmax(from.data(), to.data(), rows, cols, stream()), cudaSuccess);
    EXPECT_EQ(softmax(from.data(), from.data(), rows, cols, stream()), cudaSuccess);
    std::vector<float> y = to.download(stream());
    test::expect_near(from.download(stream()), y, 0, 0);  // in place
    return y;
  }
};

TEST_P(SoftmaxTest, EqualsTheReference) {
  for (const auto& [rows, cols] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {3, 10}, {2, 31}, {2, 32}, {2, 33}, {2, 257}, {4, 1000}, {1, 21843}}) {
    for (const Content content : kFinite) {
      SCOPED_TRACE(testing::Message() << rows << " x " << cols);
      const std::vector<float> x = logits(static_cast<std::size_t>(rows * cols), content);
      const std::vector<float> expected =
          test::evaluated(Softmax{}, {{{DType::kFloat32, {rows, cols}}, x}});

      expect_softmax(run(rows, cols, x), x, expected, cols);
    }
  }
}

TEST_P(SoftmaxTest, TreatsSpecialValuesAsTheReferenceDoes) {
  const std::vector<std::vector<float>> rows{{kNan, 1.0F, 2.0F},
                                             {1.0F, kInfinity, 2.0F},
                                             {-kInfinity, 0.0F, 1.0F},
                                             {-kInfinity, -kInfinity, -kInfinity},
                                             {1e30F, -1e30F, 0.0F},
                                             {200.0F, 0.0F, 100.0F}};
  for (const std::vector<float>& x : rows) {
    const std::vector<float> expected =
        test::evaluated(Softmax{}, {{{DType::kFloat32, {1, 3}}, x}});
    test::expect_near(run(1, 3, x), expected, 1e-38, 1e-6);
  }
}

TEST_P(SoftmaxTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<float> memory(8);
  float* p = memory.data();
  EXPECT_EQ(softmax(p, p, -1, 4, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(softmax(p, p, 2, 0, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(softmax(p, p, std::int64_t{1} << 31, 4, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(softmax(p, p, 2, std::int64_t{1} << 31, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(softmax(p, p, 0, 4, stream()), cudaSuccess);
}

FOVEA_ON_EVERY_DEVICE_RUN(TopKTest);
FOVEA_ON_EVERY_DEVICE_RUN(SoftmaxTest);

}  // namespace
}  // namespace fovea::kernels
