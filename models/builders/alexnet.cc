// AlexNet.
//
// Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
// networks", NIPS 2012; layer names and details (normalisation before pooling, 4,096 units) as in
// Caffe's bvlc_alexnet. Caffe crops to 227 x 227; the published ONNX file takes 224 x 224, and its
// sizes are followed here: 54, 26, 12 and, with a padding behind, 6 after the last pooling.
#include <fovea/error.h>

#include "models/builders/builders.h"

namespace fovea::zoo {

namespace {

constexpr auto kRelu = ActivationFunction::kRelu;

/// 3x3 with stride 2.
Pool2dSpec overlapping(const Padding& padding = {}) {
  return {.pool_size = {3, 3}, .strides = {{2, 2}}, .padding = padding};
}

}  // namespace

ModelGraph alexnet(InputSize size) {
  if (size.height != 224 || size.width != 224) {
    throw InvalidArgument(
        "alexnet takes pictures of 224 x 224 pixels only: its dense layer fc6 has one weight for "
        "every place of the last feature map, which fixes that");
  }

  GraphBuilder net;
  Tensor x = net.input({size.height, size.width, 3}, "data");
  x = net.conv2d(
      x, {.filters = 96, .kernel = {11, 11}, .strides = {4, 4}, .activation = kRelu}, "conv1");
  x = net.local_response_norm(x, {}, "norm1");
  x = net.max_pool2d(x, overlapping(), "pool1");
  x = net.conv2d(x,
                 {.filters = 256,
                  .kernel = {5, 5},
                  .padding = Padding::same(),
                  .groups = 2,
                  .activation = kRelu},
                 "conv2");
  x = net.local_response_norm(x, {}, "norm2");
  x = net.max_pool2d(x, overlapping(), "pool2");
  Conv2dSpec three{
      .filters = 384, .kernel = {3, 3}, .padding = Padding::same(), .activation = kRelu};
  x = net.conv2d(x, three, "conv3");
  three.groups = 2;
  x = net.conv2d(x, three, "conv4");
  three.filters = 256;
  x = net.conv2d(x, three, "conv5");
  x = net.max_pool2d(x, overlapping(Padding::of({0, 0, 1, 1})), "pool5");
  x = net.flatten(x, "flatten");
  x = net.dense(x, {.units = 4096, .activation = kRelu}, "fc6");
  x = net.dense(x, {.units = 4096, .activation = kRelu}, "fc7");
  x = net.dense(x, {.units = 1000}, "fc8");
  net.output(net.softmax(x, "prob"));
  return net.build();
}

}  // namespace fovea::zoo
