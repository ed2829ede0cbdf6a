// ResNet50, version 1: the stride of a stage is in its first 1x1 convolution.
//
// Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016;
// layer names, biases and epsilon as in keras/src/applications/resnet.py.
#include <string>

#include <fovea/error.h>

#include "models/builders/builders.h"

namespace fovea::zoo {

namespace {

constexpr auto kRelu = ActivationFunction::kRelu;

/// A stage: so many blocks, each three convolutions with `filters`, `filters` and 4 * `filters`.
struct Stage {
  std::string name;
  std::int64_t filters;
  int blocks;
  std::int64_t stride;  // of the first block
};

/// Convolution and batch normalisation, called <prefix>_conv and <prefix>_bn.
Tensor conv_bn(GraphBuilder& net, Tensor x, const Conv2dSpec& spec, const std::string& prefix) {
  x = net.conv2d(x, spec, prefix + "_conv");
  return net.batch_norm(x, {.epsilon = 1.001e-5}, prefix + "_bn");
}

/// The first block of a stage has a convolution in its shortcut.
Tensor block(GraphBuilder& net,
             Tensor input,
             std::int64_t filters,
             std::int64_t stride,
             bool first,
             const std::string& name) {
  Tensor shortcut = input;
  if (first) {
    shortcut =
        conv_bn(net, input, {.filters = 4 * filters, .strides = {stride, stride}}, name + "_0");
  }
  Tensor x = conv_bn(net, input, {.filters = filters, .strides = {stride, stride}}, name + "_1");
  x = net.activation(x, kRelu, name + "_1_relu");
  x = conv_bn(
      net, x, {.filters = filters, .kernel = {3, 3}, .padding = Padding::same()}, name + "_2");
  x = net.activation(x, kRelu, name + "_2_relu");
  x = conv_bn(net, x, {.filters = 4 * filters}, name + "_3");
  x = net.add(shortcut, x, name + "_add");
  return net.activation(x, kRelu, name + "_out");
}

}  // namespace

ModelGraph resnet50(InputSize size) {
  if (size.height < 32 || size.width < 32) {
    throw InvalidArgument("resnet50 takes pictures of at least 32 x 32 pixels");
  }

  GraphBuilder net;
  Tensor x = net.input({size.height, size.width, 3}, "input_layer");
  x = net.zero_padding2d(x, {3, 3, 3, 3}, "conv1_pad");
  x = conv_bn(net, x, {.filters = 64, .kernel = {7, 7}, .strides = {2, 2}}, "conv1");
  x = net.activation(x, kRelu, "conv1_relu");
  x = net.zero_padding2d(x, {1, 1, 1, 1}, "pool1_pad");
  x = net.max_pool2d(x, {.pool_size = {3, 3}, .strides = {{2, 2}}}, "pool1_pool");
  for (const Stage& stage : {Stage{"conv2", 64, 3, 1},
                             Stage{"conv3", 128, 4, 2},
                             Stage{"conv4", 256, 6, 2},
                             Stage{"conv5", 512, 3, 2}}) {
    for (int i = 1; i <= stage.blocks; ++i) {
      x = block(net,
                x,
                stage.filters,
                i == 1 ? stage.stride : 1,
                i == 1,
                stage.name + "_block" + std::to_string(i));
    }
  }
  x = net.global_average_pool2d(x, "avg_pool");
  x = net.dense(x, {.units = 1000, .activation = ActivationFunction::kSoftmax}, "predictions");
  net.output(x);
  return net.build();
}

}  // namespace fovea::zoo
