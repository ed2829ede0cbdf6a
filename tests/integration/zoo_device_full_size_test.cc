// The networks whose layers fix the size of their pictures, on the emulated device.
#include <gtest/gtest.h>

#include "tests/support/zoo_device.h"

namespace fovea {
namespace {

TEST(ZooOnADeviceInFullSize, AlexNetClassifiesAsTheReference) {
  test::expect_classifies_as_the_reference({"alexnet", 224}, {1, 2, 8}, {3, 1, 2});
}

TEST(ZooOnADeviceInFullSize, GoogLeNetClassifiesAsTheReference) {
  test::expect_classifies_as_the_reference({"googlenet", 224}, {1, 2, 8}, {3, 1, 2});
}

// Twenty times AlexNet's products.

TEST(ZooOnADeviceInFullSize, Vgg16ClassifiesAsTheReference) {
  test::expect_classifies_as_the_reference({"vgg16", 224}, {1, 2}, {2, 1});
}

TEST(ZooOnADeviceInFullSize, Vgg19ClassifiesAsTheReference) {
  test::expect_classifies_as_the_reference({"vgg19", 224}, {1, 2}, {2, 1});
}

}  // namespace
}  // namespace fovea
