// GoogLeNet, the first Inception network, as it classifies: without the two auxiliary classifiers
// that only its training needs.
//
// Source: Szegedy et al., "Going deeper with convolutions", CVPR 2015; layer names as in Caffe's
// bvlc_googlenet, with '_' for '/'. The sizes are those of the published ONNX file of Inception v1,
// which rounds down where Caffe rounds up: 55, 27, 13 and 6 after the poolings.
#include <string>

#include <fovea/error.h>

#include "models/builders/builders.h"

namespace fovea::zoo {

namespace {

/// The convolutions of an Inception module.
struct Module {
  std::string name;
  std::int64_t one;
  std::int64_t three_reduce, three;
  std::int64_t five_reduce, five;
  std::int64_t pool_projection;
};

class GoogLeNet {
 public:
  ModelGraph build(InputSize size);

 private:
  Tensor conv(Tensor x, std::int64_t filters, std::int64_t window, const std::string& name) {
    return net_.conv2d(x,
                       {.filters = filters,
                        .kernel = {window, window},
                        .padding = Padding::same(),
                        .activation = ActivationFunction::kRelu},
                       name);
  }

  Tensor halve(Tensor x, const std::string& name) {
    return net_.max_pool2d(x, {.pool_size = {3, 3}, .strides = {{2, 2}}}, name);
  }

  Tensor stem(Tensor x);
  Tensor inception(Tensor x, const Module& module);

  GraphBuilder net_;
};

Tensor GoogLeNet::stem(Tensor x) {
  x = net_.conv2d(x,
                  {.filters = 64,
                   .kernel = {7, 7},
                   .strides = {2, 2},
                   .padding = Padding::of({3, 3, 3, 3}),
                   .activation = ActivationFunction::kRelu},
                  "conv1_7x7_s2");
  x = halve(x, "pool1_3x3_s2");
  x = net_.local_response_norm(x, {}, "pool1_norm1");
  x = conv(x, 64, 1, "conv2_3x3_reduce");
  x = conv(x, 192, 3, "conv2_3x3");
  x = net_.local_response_norm(x, {}, "conv2_norm2");
  return halve(x, "pool2_3x3_s2");
}

Tensor GoogLeNet::inception(Tensor x, const Module& module) {
  const std::string prefix = "inception_" + module.name + "_";
  const Tensor one = conv(x, module.one, 1, prefix + "1x1");
  Tensor three = conv(x, module.three_reduce, 1, prefix + "3x3_reduce");
  three = conv(three, module.three, 3, prefix + "3x3");
  Tensor five = conv(x, module.five_reduce, 1, prefix + "5x5_reduce");
  five = conv(five, module.five, 5, prefix + "5x5");
  Tensor pool = net_.max_pool2d(
      x, {.pool_size = {3, 3}, .strides = {{1, 1}}, .padding = Padding::same()}, prefix + "pool");
  pool = conv(pool, module.pool_projection, 1, prefix + "pool_proj");
  return net_.concatenate({one, three, five, pool}, prefix + "output");
}

ModelGraph GoogLeNet::build(InputSize size) {
  Tensor x = net_.input({size.height, size.width, 3}, "data");
  x = stem(x);
  x = inception(x, {"3a", 64, 96, 128, 16, 32, 32});
  x = inception(x, {"3b", 128, 128, 192, 32, 96, 64});
  x = halve(x, "pool3_3x3_s2");
  x = inception(x, {"4a", 192, 96, 208, 16, 48, 64});
  x = inception(x, {"4b", 160, 112, 224, 24, 64, 64});
  x = inception(x, {"4c", 128, 128, 256, 24, 64, 64});
  x = inception(x, {"4d", 112, 144, 288, 32, 64, 64});
  x = inception(x, {"4e", 256, 160, 320, 32, 128, 128});
  x = halve(x, "pool4_3x3_s2");
  x = inception(x, {"5a", 256, 160, 320, 32, 128, 128});
  x = inception(x, {"5b", 384, 192, 384, 48, 128, 128});
  // 7x7 with a padding behind, on 6x6: the mean of what is there.
  x = net_.average_pool2d(
      x,
      {.pool_size = {7, 7}, .strides = {{1, 1}}, .padding = Padding::of({0, 0, 1, 1})},
      "pool5_7x7_s1");
  x = net_.flatten(x, "flatten");
  x = net_.dense(x, {.units = 1000}, "loss3_classifier");
  net_.output(net_.softmax(x, "prob"));
  return net_.build();
}

}  // namespace

ModelGraph googlenet(InputSize size) {
  if (size.height != 224 || size.width != 224) {
    throw InvalidArgument(
        "googlenet takes pictures of 224 x 224 pixels only: its last pooling, 7 x 7, fixes that");
  }
  return GoogLeNet().build(size);
}

}  // namespace fovea::zoo
