// VGG16 and VGG19: configurations D and E.
//
// Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
// recognition", ICLR 2015; layer names as in keras/src/applications/vgg16.py and vgg19.py.
#include <array>
#include <string>
#include <string_view>

#include <fovea/error.h>

#include "models/builders/builders.h"

namespace fovea::zoo {

namespace {

constexpr auto kRelu = ActivationFunction::kRelu;
constexpr std::array<std::int64_t, 5> kFilters{64, 128, 256, 512, 512};  // of each block

/// `convolutions` of each of the five blocks.
ModelGraph vgg(std::string_view name, InputSize size, const std::array<int, 5>& convolutions) {
  if (size.height != 224 || size.width != 224) {
    throw InvalidArgument(std::string(name) +
                          " takes pictures of 224 x 224 pixels only: its dense layer fc1 has one "
                          "weight for every place of the last feature map, which fixes that");
  }

  GraphBuilder net;
  Tensor x = net.input({size.height, size.width, 3}, "input_layer");
  for (std::size_t block = 0; block < kFilters.size(); ++block) {
    const std::string prefix = "block" + std::to_string(block + 1) + "_";
    for (int i = 1; i <= convolutions.at(block); ++i) {
      x = net.conv2d(x,
                     {.filters = kFilters.at(block),
                      .kernel = {3, 3},
                      .padding = Padding::same(),
                      .activation = kRelu},
                     prefix + "conv" + std::to_string(i));
    }
    x = net.max_pool2d(x, {}, prefix + "pool");
  }
  x = net.flatten(x, "flatten");
  x = net.dense(x, {.units = 4096, .activation = kRelu}, "fc1");
  x = net.dense(x, {.units = 4096, .activation = kRelu}, "fc2");
  x = net.dense(x, {.units = 1000, .activation = ActivationFunction::kSoftmax}, "predictions");
  net.output(x);
  return net.build();
}

}  // namespace

ModelGraph vgg16(InputSize size) {
  return vgg("vgg16", size, {2, 2, 3, 3, 3});
}

ModelGraph vgg19(InputSize size) {
  return vgg("vgg19", size, {2, 2, 4, 4, 4});
}

}  // namespace fovea::zoo
