// The emulator's matrix products and asynchronous copies, and misuses that it must notice.
//
// Operands are laid out here as the tables of the PTX ISA say, element by element: "Matrix
// Fragments for mma.m16n8k16 with floating point type" and "... mma.m16n8k8 with .tf32".
#include "kernels/simt/tensor_core.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/simt/async_copy.h"
#include "kernels/simt/emulator.h"
#include "kernels/simt/simt.h"

namespace simt {
namespace {

constexpr int kLanes = 32;
constexpr int kRows = 16;

/// Rows and columns of the sums that a lane holds, by register.
int sum_row(int lane, int i) {
  return lane / 4 + (i < 2 ? 0 : 8);
}

int sum_column(int lane, int i) {
  return lane % 4 * 2 + (i & 1);
}

/// The 16-bit elements a lane holds of A and B: row and k of its elements 0 to 7, and k and column
/// of its elements 0 to 3.
int half_a_row(int lane, int i) {
  return (i & 2) == 0 ? lane / 4 : lane / 4 + 8;
}

int half_a_k(int lane, int i) {
  return lane % 4 * 2 + (i & 1) + (i < 4 ? 0 : 8);
}

int half_b_k(int lane, int i) {
  return lane % 4 * 2 + (i & 1) + (i < 2 ? 0 : 8);
}

/// Likewise for tf32, of 32 bits: A's elements 0 to 3, B's 0 and 1.
int tf32_a_row(int lane, int i) {
  return (i & 1) == 0 ? lane / 4 : lane / 4 + 8;
}

int tf32_a_k(int lane, int i) {
  return lane % 4 + (i < 2 ? 0 : 4);
}

int tf32_b_k(int lane, int i) {
  return lane % 4 + i * 4;
}

/// A warp's registers, one set per lane.
struct Registers {
  float sums[kLanes][4];
  unsigned a[kLanes][4];
  unsigned b[kLanes][2];
};

template <typename T>
__global__ void multiply_once(Registers* r) {
  const unsigned lane = threadIdx.x;
  mma<T>(r->sums[lane], r->a[lane], r->b[lane]);
}

template <typename T>
unsigned bits_of(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return to_tf32(value);
  } else {
    return __builtin_bit_cast(unsigned short, static_cast<T>(value));
  }
}

/// A matrix of 16 columns at most; products use the first 16 (or 8, of tf32) of every row.
struct Matrix {
  float at[kRows][16];
};

template <typename T>
constexpr int kDepth = std::is_same_v<T, float> ? 8 : 16;

template <typename T>
Registers registers_of(const Matrix& a, const Matrix& b, const Matrix& sums) {
  Registers r{};
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int i = 0; i < 4; ++i) r.sums[lane][i] = sums.at[sum_row(lane, i)][sum_column(lane, i)];
    if constexpr (std::is_same_v<T, float>) {
      for (int i = 0; i < 4; ++i) {
        r.a[lane][i] = bits_of<T>(a.at[tf32_a_row(lane, i)][tf32_a_k(lane, i)]);
      }
      for (int i = 0; i < 2; ++i) r.b[lane][i] = bits_of<T>(b.at[lane / 4][tf32_b_k(lane, i)]);
    } else {
      for (int i = 0; i < 8; ++i) {
        r.a[lane][i / 2] |= bits_of<T>(a.at[half_a_row(lane, i)][half_a_k(lane, i)])
                            << (i % 2 * 16);
      }
      for (int i = 0; i < 4; ++i) {
        r.b[lane][i / 2] |= bits_of<T>(b.at[lane / 4][half_b_k(lane, i)]) << (i % 2 * 16);
      }
    }
  }
  return r;
}

template <typename T>
float rounded(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return __builtin_bit_cast(float, to_tf32(value));
  } else {
    return static_cast<float>(static_cast<T>(value));
  }
}

template <typename T>
Matrix random_matrix(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Matrix matrix{};
  for (auto& row : matrix.at) {
    for (float& value : row) value = rounded<T>(normal(random));
  }
  return matrix;
}

template <typename T>
class TensorCore : public testing::Test {};

using Types = testing::Types<__half, __nv_bfloat16, float>;
TYPED_TEST_SUITE(TensorCore, Types);

TYPED_TEST(TensorCore, AddsTheProductInEverySchedule) {
  const Matrix a = random_matrix<TypeParam>(1);
  const Matrix b = random_matrix<TypeParam>(2);
  const Matrix sums = random_matrix<TypeParam>(3);
  for (const Schedule schedule : {Schedule::kForward, Schedule::kReverse, Schedule::kRandom}) {
    set_schedule(schedule);
    Registers r = registers_of<TypeParam>(a, b, sums);

    ASSERT_EQ(launch(multiply_once<TypeParam>, dim3(1), dim3(kLanes), 0, nullptr, &r), cudaSuccess);

    for (int lane = 0; lane < kLanes; ++lane) {
      for (int i = 0; i < 4; ++i) {
        const int row = sum_row(lane, i);
        const int column = sum_column(lane, i);
        float want = sums.at[row][column];
        // Exact products, one after the other.
        for (int k = 0; k < kDepth<TypeParam>; ++k) {
          const double product = double{a.at[row][k]} * double{b.at[column][k]};
          want = static_cast<float>(double{want} + product);
        }
        EXPECT_EQ(r.sums[lane][i], want) << "row " << row << ", column " << column;
      }
    }
  }
  set_schedule(Schedule::kForward);
}

TYPED_TEST(TensorCore, SumsAreFloat32) {
  Matrix ones{};
  for (auto& row : ones.at) std::fill(std::begin(row), std::end(row), 1.0F);
  Matrix sums{};
  for (auto& row : sums.at) std::fill(std::begin(row), std::end(row), 0x1p24F);
  Registers r = registers_of<TypeParam>(ones, ones, sums);

  ASSERT_EQ(launch(multiply_once<TypeParam>, dim3(1), dim3(kLanes), 0, nullptr, &r), cudaSuccess);

  EXPECT_EQ(r.sums[7][2], 0x1p24F);  // every 1 is half of the last place, and goes to the even sum
}

TEST(Tf32, IsRoundedToTenBitsOfFraction) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto tf32 = [](float x) { return __builtin_bit_cast(float, to_tf32(x)); };
  EXPECT_EQ(tf32(1.0F + 0x1p-10F), 1.0F + 0x1p-10F);
  EXPECT_EQ(tf32(1.0F + 0x1p-11F), 1.0F + 0x1p-10F);
  EXPECT_EQ(tf32(-1.0F - 0x1p-11F), -1.0F - 0x1p-10F);
  EXPECT_EQ(tf32(1.0F + 0x1p-11F - 0x1p-23F), 1.0F);
  EXPECT_EQ(tf32(2.0F - 0x1p-23F), 2.0F);
  EXPECT_EQ(tf32(0.0F), 0.0F);
  EXPECT_TRUE(std::signbit(tf32(-0.0F)));
  EXPECT_EQ(tf32(kInfinity), kInfinity);
  EXPECT_EQ(tf32(-kInfinity), -kInfinity);
  EXPECT_EQ(tf32(std::numeric_limits<float>::max()), kInfinity);
  EXPECT_TRUE(std::isnan(tf32(std::numeric_limits<float>::quiet_NaN())));
}

TEST(Tf32, ProductsDoNotSeeTheBitsBeyond) {
  Registers r{};
  for (auto& words : r.a) words[0] = __builtin_bit_cast(unsigned, 1.0F) | 0x1fffU;
  for (auto& words : r.b) words[0] = __builtin_bit_cast(unsigned, 1.0F) | 0x1fffU;

  ASSERT_EQ(launch(multiply_once<float>, dim3(1), dim3(kLanes), 0, nullptr, &r), cudaSuccess);

  EXPECT_EQ(r.sums[0][0], 4.0F);
}

__global__ void multiply_with_half_a_warp(Registers* r) {
  if (threadIdx.x < kLanes / 2) mma<__half>(r->sums[0], r->a[0], r->b[0]);
}

__global__ void multiply_two_types(Registers* r) {
  const unsigned lane = threadIdx.x;
  if (lane % 2 == 0) {
    mma<__half>(r->sums[lane], r->a[lane], r->b[lane]);
  } else {
    mma<__nv_bfloat16>(r->sums[lane], r->a[lane], r->b[lane]);
  }
}

TEST(TensorCoreErrors, AllLanesTakePart) {
  for (const Schedule schedule : {Schedule::kForward, Schedule::kReverse}) {
    set_schedule(schedule);
    Registers r{};
    EXPECT_THROW((void)launch(multiply_with_half_a_warp, dim3(1), dim3(kLanes), 0, nullptr, &r),
                 EmulationError);
    EXPECT_THROW((void)launch(multiply_once<__half>, dim3(1), dim3(kLanes / 2), 0, nullptr, &r),
                 EmulationError);
    EXPECT_THROW((void)launch(multiply_two_types, dim3(1), dim3(kLanes), 0, nullptr, &r),
                 EmulationError);
  }
  set_schedule(Schedule::kForward);
}

/// out[4 * lane + m] is what the lane gets of matrix m; words of shared memory count from 0.
__global__ void load_four_matrices(unsigned* out, int skew) {
  SIMT_SHARED(words, unsigned[kLanes * 4 + 4]);
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = 0; i < 4; ++i) words[lane * 4 + i] = static_cast<unsigned>(lane * 4 + i);
  __syncthreads();
  unsigned mine[4];
  load_matrices(mine, words + lane * 4 + skew);
  for (int m = 0; m < 4; ++m) out[lane * 4 + m] = mine[m];
}

TEST(LoadMatrices, GivesEveryLaneAWordOfEachMatrix) {
  std::vector<unsigned> out(std::size_t{4} * kLanes);

  ASSERT_EQ(launch(load_four_matrices, dim3(1), dim3(kLanes), 0, nullptr, out.data(), 0),
            cudaSuccess);

  for (unsigned lane = 0; lane < kLanes; ++lane) {
    for (unsigned m = 0; m < 4; ++m) {
      EXPECT_EQ(out[lane * 4 + m], (m * 8 + lane / 4) * 4 + lane % 4) << lane << ", " << m;
    }
  }
}

TEST(LoadMatrices, RefusesARowThatIsNotAligned) {
  std::vector<unsigned> out(std::size_t{4} * kLanes);
  EXPECT_THROW((void)launch(load_four_matrices, dim3(1), dim3(kLanes), 0, nullptr, out.data(), 1),
               EmulationError);
}

using Row = Floats<4>;

/// Three copies in two groups, the last of zeros; reads all after waiting for all but `Groups`.
template <int Groups>
__global__ void copy_rows(const Row* in, Row* out) {
  SIMT_SHARED(rows, Row[3]);
  copy_async(&rows[0], in, true);
  copy_async(&rows[1], in + 1, true);
  commit_copies();
  copy_async(&rows[2], nullptr, false);
  commit_copies();
  wait_copies<Groups>();
  for (int i = 0; i < 3; ++i) out[i] = rows[i];
}

class AsyncCopy : public testing::Test {
 protected:
  std::vector<Row> in_{{{1, 2, 3, 4}}, {{5, 6, 7, 8}}};
  std::vector<Row> out_{3, Row{}};
};

TEST_F(AsyncCopy, IsThereAfterTheWait) {
  ASSERT_EQ(launch(copy_rows<0>, dim3(1), dim3(1), 0, nullptr, in_.data(), out_.data()),
            cudaSuccess);
  EXPECT_EQ(out_[0].lane[3], 4);
  EXPECT_EQ(out_[1].lane[0], 5);
  EXPECT_EQ(out_[2].lane[2], 0);
}

TEST_F(AsyncCopy, OfALaterGroupIsNotThereYet) {
  ASSERT_EQ(launch(copy_rows<1>, dim3(1), dim3(1), 0, nullptr, in_.data(), out_.data()),
            cudaSuccess);
  EXPECT_EQ(out_[1].lane[3], 8);
  EXPECT_TRUE(std::isnan(out_[2].lane[0]));
}

TEST_F(AsyncCopy, ThatNobodyWaitsForIsNotThere) {
  ASSERT_EQ(launch(copy_rows<2>, dim3(1), dim3(1), 0, nullptr, in_.data(), out_.data()),
            cudaSuccess);
  for (const Row& row : out_) EXPECT_TRUE(std::isnan(row.lane[1]));
}

__global__ void copy_without_end(const Row* in) {
  SIMT_SHARED(row, Row);
  for (int i = 0; i < 1000; ++i) copy_async(&row, in, true);
}

__global__ void copy_misaligned(const float* in) {
  SIMT_SHARED(row, Row);
  copy_async(&row, in + 1, true);
}

TEST_F(AsyncCopy, HasLimits) {
  EXPECT_THROW((void)launch(copy_without_end, dim3(1), dim3(1), 0, nullptr, in_.data()),
               EmulationError);
  EXPECT_THROW((void)launch(copy_misaligned, dim3(1), dim3(1), 0, nullptr, in_[0].lane),
               EmulationError);
}

}  // namespace
}  // namespace simt
