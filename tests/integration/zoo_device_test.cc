// The zoo's networks on the emulated device, at the smallest size of picture that each takes.
#include "tests/support/zoo_device.h"

#include <string>

#include <gtest/gtest.h>

namespace fovea {
namespace {

using test::ZooNetwork;

class ZooOnADevice : public testing::TestWithParam<ZooNetwork> {};

TEST_P(ZooOnADevice, ClassifiesAsTheReference) {
  test::expect_classifies_as_the_reference(GetParam(), {1, 2, 8}, {8, 1, 2, 5});
}

INSTANTIATE_TEST_SUITE_P(Networks,
                         ZooOnADevice,
                         testing::Values(ZooNetwork{"resnet50", 32},
                                         ZooNetwork{"inception_v3", 75},
                                         ZooNetwork{"xception", 71}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ZooOnADevice, LeNet5InTheBucketsOfADevice) {
  test::expect_classifies_as_the_reference(
      {"lenet5", 28, 4.0}, {1, 8, 32, 64}, {64, 1, 8, 32, 2, 9, 33, 63});
}

}  // namespace
}  // namespace fovea
