// Rows inside of larger buffers, and the comparison of elements.
#pragma once

#include <cstddef>
#include <vector>

namespace fovea::test {

/// Dense rows spread out: row r begins at r * stride + offset of a buffer that is NaN elsewhere.
std::vector<float> spread(const std::vector<float>& dense,
                          std::size_t row,
                          std::size_t stride,
                          std::size_t offset);

/// The rows that spread() would have placed. Fails the test where the rest of `buffer` is not NaN
/// any more.
std::vector<float> gathered(const std::vector<float>& buffer,
                            std::size_t row,
                            std::size_t stride,
                            std::size_t offset);

/// Fails the test unless every element is within absolute + relative * |expected|; NaN equals NaN.
void expect_near(const std::vector<float>& got,
                 const std::vector<float>& expected,
                 double absolute,
                 double relative);

}  // namespace fovea::test
