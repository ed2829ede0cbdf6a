#include "kernels/copy.h"

#include <limits>
#include <numeric>

#include "tests/kernels/device_test.h"

namespace fovea::kernels {
namespace {

class CopyTest : public test::DeviceTest {};

struct Case {
  std::int64_t rows;
  std::int64_t row_bytes;
  std::int64_t src_stride;
  std::int64_t src_offset;
  std::int64_t dst_stride;
  std::int64_t dst_offset;
};

/// Moves of 1, 4 and 16 bytes, and every reason for which a wider one is not possible.
constexpr Case kCases[] = {
    {1, 1, 1, 0, 1, 0},
    {3, 31, 31, 0, 40, 9},
    {33, 5, 8, 3, 7, 1},
    {1, 4, 4, 0, 4, 0},
    {31, 12, 12, 0, 20, 8},
    {7, 128, 132, 4, 128, 0},
    {7, 128, 128, 0, 128, 0},
    {32, 16, 16, 0, 48, 32},
    {65, 64, 128, 64, 256, 128},
    {8, 48, 48, 0, 52, 0},
    {5, 20, 32, 16, 32, 0},
    {3, 16, 32, 1, 16, 0},
    {784, 256, 256, 0, 1024, 512},
};

// What every other test relies on, and on a GPU no allocator does.
TEST_P(CopyTest, NewArraysHoldNothingOfTheRunBefore) {
  constexpr std::size_t kSize = 1000;
  const std::vector<float> before = test::random_floats(kSize, 1);
  (void)test::DeviceArray<float>(before).download(stream());

  const test::DeviceArray<std::byte> bytes(kSize * sizeof(float));
  EXPECT_EQ(bytes.download(stream()), std::vector<std::byte>(kSize * sizeof(float), test::kPoison));
}

/// That every byte of the rows arrives and no other one changes.
void expect_moved(const Case& c, int most_moves, cudaStream_t stream) {
  SCOPED_TRACE(testing::Message() << c.rows << " rows of " << c.row_bytes << " bytes, "
                                  << c.src_stride << '+' << c.src_offset << " to " << c.dst_stride
                                  << '+' << c.dst_offset << ", " << most_moves << " at a time");
  std::vector<std::uint8_t> src(static_cast<std::size_t>(c.rows * c.src_stride + c.src_offset));
  std::iota(src.begin(), src.end(), std::uint8_t{1});
  std::vector<std::uint8_t> expected(static_cast<std::size_t>(c.rows * c.dst_stride + c.dst_offset),
                                     0xEE);
  const test::DeviceArray<std::uint8_t> from(src);
  const test::DeviceArray<std::uint8_t> to(expected);
  for (std::int64_t r = 0; r < c.rows; ++r) {
    for (std::int64_t b = 0; b < c.row_bytes; ++b) {
      expected[static_cast<std::size_t>(r * c.dst_stride + c.dst_offset + b)] =
          src[static_cast<std::size_t>(r * c.src_stride + c.src_offset + b)];
    }
  }

  ASSERT_EQ(copy_rows(reinterpret_cast<const std::byte*>(from.data() + c.src_offset),
                      c.src_stride,
                      reinterpret_cast<std::byte*>(to.data() + c.dst_offset),
                      c.dst_stride,
                      c.rows,
                      c.row_bytes,
                      stream,
                      most_moves),
            cudaSuccess);

  EXPECT_EQ(to.download(stream), expected);
}

TEST_P(CopyTest, MovesTheRowsAndNothingElse) {
  for (const Case& c : kCases) expect_moved(c, std::numeric_limits<int>::max(), stream());
}

// Launches end at the end of a row: of one, two and a few rows each, and the last one of fewer.
TEST_P(CopyTest, SeveralLaunchesMoveTheSame) {
  for (const Case& c : kCases) {
    const auto row = static_cast<int>(c.row_bytes);  // as many moves at most
    for (const int most_moves : {row, 2 * row + 1, 5 * row}) expect_moved(c, most_moves, stream());
  }
}

TEST_P(CopyTest, RefusesWhatIsOutOfRange) {
  const test::DeviceArray<std::byte> memory(64);
  std::byte* p = memory.data();
  EXPECT_EQ(copy_rows(p, 8, p + 32, 8, -1, 8, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(copy_rows(p, 8, p + 32, 8, 1, -1, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(copy_rows(p, 7, p + 32, 8, 1, 8, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(copy_rows(p, 8, p + 32, 7, 1, 8, stream()), cudaErrorInvalidValue);
  constexpr std::int64_t kTooLong = (std::int64_t{1} << 31) + 1;
  EXPECT_EQ(copy_rows(p, kTooLong, p + 32, kTooLong, 1, kTooLong, stream()), cudaErrorInvalidValue);
  EXPECT_EQ(copy_rows(p, 8, p + 32, 8, 1, 8, stream(), 1), cudaErrorInvalidValue);
  EXPECT_EQ(copy_rows(p, 8, p + 32, 8, 1, 8, stream(), 0), cudaErrorInvalidValue);
  EXPECT_EQ(copy_rows(p, 8, p + 32, 8, 0, 8, stream()), cudaSuccess);
  EXPECT_EQ(copy_rows(p, 8, p + 32, 8, 4, 0, stream()), cudaSuccess);
  cuda::synchronize(stream());
}

FOVEA_ON_EVERY_DEVICE_RUN(CopyTest);

}  // namespace
}  // namespace fovea::kernels
