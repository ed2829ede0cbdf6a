// Xception.
//
// Source: Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR 2017; as
// in keras/src/applications/xception.py. Most layers have names there; those of the shortcuts have
// the names that Keras numbers in the order of creation.
#include <string>

#include <fovea/error.h>

#include "models/builders/automatic_names.h"
#include "models/builders/builders.h"

namespace fovea::zoo {

namespace {

constexpr auto kRelu = ActivationFunction::kRelu;

class Xception {
 public:
  ModelGraph build(InputSize size);

 private:
  /// Convolution without bias and batch normalisation.
  Tensor conv_bn(Tensor x, Conv2dSpec spec, const std::string& name, const std::string& bn_name) {
    spec.use_bias = false;
    return net_.batch_norm(net_.conv2d(x, spec, name), {}, bn_name);
  }

  /// Separable 3x3 convolution and batch normalisation, called <name> and <name>_bn.
  Tensor separable_bn(Tensor x, std::int64_t filters, const std::string& name) {
    x = net_.separable_conv2d(
        x,
        {.filters = filters, .kernel = {3, 3}, .padding = Padding::same(), .use_bias = false},
        name);
    return net_.batch_norm(x, {}, name + "_bn");
  }

  Tensor relu_of(Tensor x, const std::string& name) {
    return net_.activation(x, kRelu, name + "_act");
  }

  /// Relu, then separable_bn.
  Tensor relu_separable_bn(Tensor x, std::int64_t filters, const std::string& name) {
    return separable_bn(relu_of(x, name), filters, name);
  }

  /// A 1x1 convolution that halves the picture.
  Tensor shortcut(Tensor x, std::int64_t filters) {
    const std::string conv = names_("conv2d");
    return conv_bn(x,
                   {.filters = filters, .strides = {2, 2}, .padding = Padding::same()},
                   conv,
                   names_("batch_normalization"));
  }

  /// The end of a block that halves the picture.
  Tensor pool_add(Tensor x, Tensor shortcut, const std::string& name) {
    x = net_.max_pool2d(
        x, {.pool_size = {3, 3}, .strides = {{2, 2}}, .padding = Padding::same()}, name + "_pool");
    return net_.add(x, shortcut, names_("add"));
  }

  Tensor entry_flow(Tensor x);
  Tensor middle_flow(Tensor x);
  Tensor exit_flow(Tensor x);

  GraphBuilder net_;
  AutomaticNames names_;
};

Tensor Xception::entry_flow(Tensor x) {
  x = conv_bn(
      x, {.filters = 32, .kernel = {3, 3}, .strides = {2, 2}}, "block1_conv1", "block1_conv1_bn");
  x = relu_of(x, "block1_conv1");
  x = conv_bn(x, {.filters = 64, .kernel = {3, 3}}, "block1_conv2", "block1_conv2_bn");
  x = relu_of(x, "block1_conv2");

  Tensor past = shortcut(x, 128);
  x = separable_bn(x, 128, "block2_sepconv1");  // a Relu has just been
  x = relu_separable_bn(x, 128, "block2_sepconv2");
  x = pool_add(x, past, "block2");

  past = shortcut(x, 256);
  x = relu_separable_bn(x, 256, "block3_sepconv1");
  x = relu_separable_bn(x, 256, "block3_sepconv2");
  x = pool_add(x, past, "block3");

  past = shortcut(x, 728);
  x = relu_separable_bn(x, 728, "block4_sepconv1");
  x = relu_separable_bn(x, 728, "block4_sepconv2");
  return pool_add(x, past, "block4");
}

Tensor Xception::middle_flow(Tensor x) {
  for (int block = 5; block <= 12; ++block) {
    const std::string prefix = "block" + std::to_string(block) + "_sepconv";
    const Tensor past = x;
    for (int i = 1; i <= 3; ++i) x = relu_separable_bn(x, 728, prefix + std::to_string(i));
    x = net_.add(x, past, names_("add"));
  }
  return x;
}

Tensor Xception::exit_flow(Tensor x) {
  const Tensor past = shortcut(x, 1024);
  x = relu_separable_bn(x, 728, "block13_sepconv1");
  x = relu_separable_bn(x, 1024, "block13_sepconv2");
  x = pool_add(x, past, "block13");

  x = separable_bn(x, 1536, "block14_sepconv1");
  x = relu_of(x, "block14_sepconv1");
  x = separable_bn(x, 2048, "block14_sepconv2");
  return relu_of(x, "block14_sepconv2");
}

ModelGraph Xception::build(InputSize size) {
  Tensor x = net_.input({size.height, size.width, 3}, "input_layer");
  x = exit_flow(middle_flow(entry_flow(x)));
  x = net_.global_average_pool2d(x, "avg_pool");
  x = net_.dense(x, {.units = 1000, .activation = ActivationFunction::kSoftmax}, "predictions");
  net_.output(x);
  return net_.build();
}

}  // namespace

ModelGraph xception(InputSize size) {
  if (size.height < 71 || size.width < 71) {
    throw InvalidArgument("xception takes pictures of at least 71 x 71 pixels");
  }
  return Xception().build(size);
}

}  // namespace fovea::zoo
