// InceptionV3.
//
// Source: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception architecture for
// computer vision", CVPR 2016; as in keras/src/applications/inception_v3.py, whose layers mostly
// have the names that Keras numbers in the order of creation. Statements here are in that order.
#include <array>
#include <string>
#include <vector>

#include <fovea/error.h>

#include "models/builders/automatic_names.h"
#include "models/builders/builders.h"

namespace fovea::zoo {

namespace {

using Kernel = std::array<std::int64_t, 2>;

constexpr Pool2dSpec kReduction{.pool_size = {3, 3}, .strides = {{2, 2}}};

class InceptionV3 {
 public:
  ModelGraph build(InputSize size);

 private:
  /// Convolution without bias, batch normalisation without gamma, Relu.
  Tensor conv(Tensor x,
              std::int64_t filters,
              Kernel kernel,
              std::int64_t stride = 1,
              Padding padding = Padding::same()) {
    x = net_.conv2d(x,
                    {.filters = filters,
                     .kernel = kernel,
                     .strides = {stride, stride},
                     .padding = padding,
                     .use_bias = false},
                    names_("conv2d"));
    x = net_.batch_norm(x, {.scale = false}, names_("batch_normalization"));
    return net_.activation(x, ActivationFunction::kRelu, names_("activation"));
  }

  Tensor conv_valid(Tensor x, std::int64_t filters, Kernel kernel, std::int64_t stride = 1) {
    return conv(x, filters, kernel, stride, Padding::valid());
  }

  Tensor max_pool(Tensor x) { return net_.max_pool2d(x, kReduction, names_("max_pooling2d")); }

  /// The last branch of a block: averages, then 1x1.
  Tensor pooled(Tensor x, std::int64_t filters) {
    x = net_.average_pool2d(x,
                            {.pool_size = {3, 3}, .strides = {{1, 1}}, .padding = Padding::same()},
                            names_("average_pooling2d"));
    return conv(x, filters, {1, 1});
  }

  Tensor stem(Tensor x);
  Tensor block_35x35(Tensor x, std::int64_t pool_filters, const std::string& name);
  Tensor reduction_to_17x17(Tensor x, const std::string& name);
  Tensor block_17x17(Tensor x, std::int64_t filters, const std::string& name);
  Tensor reduction_to_8x8(Tensor x, const std::string& name);
  Tensor block_8x8(Tensor x, const std::string& name, const std::string& split_name);

  GraphBuilder net_;
  AutomaticNames names_;
};

Tensor InceptionV3::stem(Tensor x) {
  x = conv_valid(x, 32, {3, 3}, 2);
  x = conv_valid(x, 32, {3, 3});
  x = conv(x, 64, {3, 3});
  x = max_pool(x);
  x = conv_valid(x, 80, {1, 1});
  x = conv_valid(x, 192, {3, 3});
  return max_pool(x);
}

Tensor InceptionV3::block_35x35(Tensor x, std::int64_t pool_filters, const std::string& name) {
  const Tensor one = conv(x, 64, {1, 1});
  Tensor five = conv(x, 48, {1, 1});
  five = conv(five, 64, {5, 5});
  Tensor twice_three = conv(x, 64, {1, 1});
  twice_three = conv(twice_three, 96, {3, 3});
  twice_three = conv(twice_three, 96, {3, 3});
  const Tensor pool = pooled(x, pool_filters);
  return net_.concatenate({one, five, twice_three, pool}, name);
}

Tensor InceptionV3::reduction_to_17x17(Tensor x, const std::string& name) {
  const Tensor three = conv_valid(x, 384, {3, 3}, 2);
  Tensor twice_three = conv(x, 64, {1, 1});
  twice_three = conv(twice_three, 96, {3, 3});
  twice_three = conv_valid(twice_three, 96, {3, 3}, 2);
  return net_.concatenate({three, twice_three, max_pool(x)}, name);
}

/// 7x7 as 1x7 and 7x1, with `filters` in between.
Tensor InceptionV3::block_17x17(Tensor x, std::int64_t filters, const std::string& name) {
  const Tensor one = conv(x, 192, {1, 1});
  Tensor seven = conv(x, filters, {1, 1});
  seven = conv(seven, filters, {1, 7});
  seven = conv(seven, 192, {7, 1});
  Tensor twice_seven = conv(x, filters, {1, 1});
  twice_seven = conv(twice_seven, filters, {7, 1});
  twice_seven = conv(twice_seven, filters, {1, 7});
  twice_seven = conv(twice_seven, filters, {7, 1});
  twice_seven = conv(twice_seven, 192, {1, 7});
  const Tensor pool = pooled(x, 192);
  return net_.concatenate({one, seven, twice_seven, pool}, name);
}

Tensor InceptionV3::reduction_to_8x8(Tensor x, const std::string& name) {
  Tensor three = conv(x, 192, {1, 1});
  three = conv_valid(three, 320, {3, 3}, 2);
  Tensor seven_three = conv(x, 192, {1, 1});
  seven_three = conv(seven_three, 192, {1, 7});
  seven_three = conv(seven_three, 192, {7, 1});
  seven_three = conv_valid(seven_three, 192, {3, 3}, 2);
  return net_.concatenate({three, seven_three, max_pool(x)}, name);
}

/// 3x3 as 1x3 beside 3x1.
Tensor InceptionV3::block_8x8(Tensor x, const std::string& name, const std::string& split_name) {
  const Tensor one = conv(x, 320, {1, 1});
  const Tensor three = conv(x, 384, {1, 1});
  const Tensor three_wide = conv(three, 384, {1, 3});
  const Tensor three_high = conv(three, 384, {3, 1});
  const Tensor split = net_.concatenate({three_wide, three_high}, split_name);
  Tensor twice_three = conv(x, 448, {1, 1});
  twice_three = conv(twice_three, 384, {3, 3});
  const Tensor twice_wide = conv(twice_three, 384, {1, 3});
  const Tensor twice_high = conv(twice_three, 384, {3, 1});
  twice_three = net_.concatenate({twice_wide, twice_high}, names_("concatenate"));
  const Tensor pool = pooled(x, 192);
  return net_.concatenate({one, split, twice_three, pool}, name);
}

ModelGraph InceptionV3::build(InputSize size) {
  Tensor x = net_.input({size.height, size.width, 3}, "input_layer");
  x = stem(x);
  x = block_35x35(x, 32, "mixed0");
  x = block_35x35(x, 64, "mixed1");
  x = block_35x35(x, 64, "mixed2");
  x = reduction_to_17x17(x, "mixed3");
  x = block_17x17(x, 128, "mixed4");
  x = block_17x17(x, 160, "mixed5");
  x = block_17x17(x, 160, "mixed6");
  x = block_17x17(x, 192, "mixed7");
  x = reduction_to_8x8(x, "mixed8");
  x = block_8x8(x, "mixed9", "mixed9_0");
  x = block_8x8(x, "mixed10", "mixed9_1");
  x = net_.global_average_pool2d(x, "avg_pool");
  x = net_.dense(x, {.units = 1000, .activation = ActivationFunction::kSoftmax}, "predictions");
  net_.output(x);
  return net_.build();
}

}  // namespace

ModelGraph inception_v3(InputSize size) {
  if (size.height < 75 || size.width < 75) {
    throw InvalidArgument("inception_v3 takes pictures of at least 75 x 75 pixels");
  }
  return InceptionV3().build(size);
}

}  // namespace fovea::zoo
