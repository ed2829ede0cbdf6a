// LeNet-5.
//
// Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
// recognition", Proc. IEEE 86(11), 1998; with today's usual simplifications: plain average pooling,
// all of s4 connected to c3, and a softmax in place of the radial basis functions.
#include <fovea/error.h>

#include "models/builders/builders.h"

namespace fovea::zoo {

ModelGraph lenet5(InputSize size) {
  if (size.height != 28 || size.width != 28) {
    throw InvalidArgument(
        "lenet5 takes pictures of 28 x 28 pixels only: its dense layers fix that");
  }
  constexpr auto kTanh = ActivationFunction::kTanh;

  GraphBuilder net;
  Tensor x = net.sequential_input({28, 28, 1}, "input_layer");
  x = net.conv2d(
      x, {.filters = 6, .kernel = {5, 5}, .padding = Padding::same(), .activation = kTanh}, "c1");
  x = net.average_pool2d(x, {}, "s2");
  x = net.conv2d(x, {.filters = 16, .kernel = {5, 5}, .activation = kTanh}, "c3");
  x = net.average_pool2d(x, {}, "s4");
  x = net.flatten(x, "flatten");
  x = net.dense(x, {.units = 120, .activation = kTanh}, "c5");
  x = net.dense(x, {.units = 84, .activation = kTanh}, "f6");
  x = net.dense(x, {.units = 10, .activation = ActivationFunction::kSoftmax}, "output");
  net.output(x);
  return net.build();
}

}  // namespace fovea::zoo
