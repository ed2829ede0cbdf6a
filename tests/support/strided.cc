#include "tests/support/strided.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace fovea::test {

std::vector<float> spread(const std::vector<float>& dense,
                          std::size_t row,
                          std::size_t stride,
                          std::size_t offset) {
  const std::size_t rows = dense.size() / row;
  std::vector<float> buffer(rows * stride, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < row; ++i) buffer[r * stride + offset + i] = dense[r * row + i];
  }
  return buffer;
}

std::vector<float> gathered(const std::vector<float>& buffer,
                            std::size_t row,
                            std::size_t stride,
                            std::size_t offset) {
  std::vector<float> dense;
  for (std::size_t i = 0; i < buffer.size(); ++i) {
    const std::size_t at = i % stride;
    if (at >= offset && at < offset + row) {
      dense.push_back(buffer[i]);
    } else {
      EXPECT_TRUE(std::isnan(buffer[i])) << "element " << i << " beside the slice was written";
    }
  }
  return dense;
}

void expect_near(const std::vector<float>& got,
                 const std::vector<float>& expected,
                 double absolute,
                 double relative) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(expected[i])) continue;
    if (got[i] == expected[i]) continue;  // infinities
    const double error = std::fabs(double{got[i]} - double{expected[i]});
    ASSERT_LE(error, absolute + relative * std::fabs(double{expected[i]}))
        << "element " << i << ": " << got[i] << " instead of " << expected[i];
  }
}

}  // namespace fovea::test
