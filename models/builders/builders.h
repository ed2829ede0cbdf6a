// The networks of the zoo, one function per file.
#pragma once

#include <cstdint>

#include <fovea/graph.h>

namespace fovea::zoo {

/// Height and width of the pictures that a network takes, in pixels.
struct InputSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// LeNet-5 for MNIST, with biases everywhere, tanh, average pooling and a full connection from s4
/// to c3: 61,706 parameters. Takes 28 x 28 grey pictures only; throws InvalidArgument otherwise.
[[nodiscard]] ModelGraph lenet5(InputSize size);

/// VGG16 of keras.applications for the 1,000 classes of ImageNet: 138,357,544 parameters. Takes
/// 224 x 224 pictures only; throws InvalidArgument otherwise.
[[nodiscard]] ModelGraph vgg16(InputSize size);

/// VGG19, likewise: 143,667,240 parameters.
[[nodiscard]] ModelGraph vgg19(InputSize size);

/// ResNet50 (v1) of keras.applications for the 1,000 classes of ImageNet: 25,636,712 parameters.
/// Throws InvalidArgument below 32 x 32.
[[nodiscard]] ModelGraph resnet50(InputSize size);

/// InceptionV3 of keras.applications for the 1,000 classes of ImageNet: 23,851,784 parameters.
/// Throws InvalidArgument below 75 x 75.
[[nodiscard]] ModelGraph inception_v3(InputSize size);

/// Xception of keras.applications for the 1,000 classes of ImageNet: 22,910,480 parameters. Throws
/// InvalidArgument below 71 x 71.
[[nodiscard]] ModelGraph xception(InputSize size);

/// AlexNet as Caffe has it, with two groups, for the 1,000 classes of ImageNet: 60,965,224
/// parameters. Takes 224 x 224 pictures only; throws InvalidArgument otherwise.
[[nodiscard]] ModelGraph alexnet(InputSize size);

/// GoogLeNet (Inception v1) without its auxiliary classifiers, for the 1,000 classes of ImageNet:
/// 6,998,552 parameters. Takes 224 x 224 pictures only; throws InvalidArgument otherwise.
[[nodiscard]] ModelGraph googlenet(InputSize size);

}  // namespace fovea::zoo
