// The summaries of the zoo's networks against what Keras prints, byte for byte.
#include <ostream>
#include <string_view>

#include <gtest/gtest.h>

#include <fovea/describe.h>
#include <fovea/model.h>

#include "engine/core/file.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

struct Network {
  std::string_view name;
  std::string_view golden;
};

std::ostream& operator<<(std::ostream& stream, const Network& network) {
  return stream << network.name;
}

class SummaryGolden : public test::SharedDataTest, public testing::WithParamInterface<Network> {};

TEST_P(SummaryGolden, IsThatOfKeras) {
  const Model model = open_model(GetParam().name, {.weights = "none"});

  EXPECT_EQ(summary(model.graph(), model.name()),
            read_text_file(shared_ / "goldens" / GetParam().golden));
}

INSTANTIATE_TEST_SUITE_P(Keras,
                         SummaryGolden,
                         testing::Values(Network{"vgg16", "keras/VGG16.summary.txt"},
                                         Network{"vgg19", "keras/VGG19.summary.txt"},
                                         Network{"resnet50", "keras/ResNet50.summary.txt"},
                                         Network{"inception_v3", "keras/InceptionV3.summary.txt"},
                                         Network{"xception", "keras/Xception.summary.txt"},
                                         Network{"lenet5", "lenet/LeNet5.summary.txt"}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace fovea
