#include "models/builders/zoo.h"

#include <array>
#include <string>

#include <fovea/error.h>

namespace fovea::zoo {

namespace {

constexpr std::array kModels{
    Model{.name = "vgg16",
          .description = "VGG16, 1,000 ImageNet classes, 224 x 224, 138.4 M parameters",
          .folder = "vgg16",
          .build = vgg16},
    Model{.name = "vgg19",
          .description = "VGG19, 1,000 ImageNet classes, 224 x 224, 143.7 M parameters",
          .folder = "vgg19",
          .build = vgg19},
    Model{.name = "resnet50",
          .description = "ResNet50 (v1), 1,000 ImageNet classes, 224 x 224, 25.6 M parameters",
          .folder = "resnet50",
          .build = resnet50},
    Model{.name = "inception_v3",
          .description = "InceptionV3, 1,000 ImageNet classes, 299 x 299, 23.9 M parameters",
          .folder = "inception_v3",
          .build = inception_v3},
    Model{.name = "xception",
          .description = "Xception, 1,000 ImageNet classes, 299 x 299, 22.9 M parameters",
          .folder = "xception",
          .build = xception},
    Model{.name = "alexnet",
          .description = "AlexNet (Caffe's), 1,000 ImageNet classes, 224 x 224, 61.0 M parameters",
          .folder = "alexnet",
          .build = alexnet},
    Model{.name = "googlenet",
          .description =
              "GoogLeNet (Inception v1), 1,000 ImageNet classes, 224 x 224, 7.0 M parameters",
          .folder = "googlenet",
          .build = googlenet},
    Model{.name = "lenet5",
          .description = "LeNet-5, ten digits, 28 x 28 grey, 61,706 parameters; weights included",
          .folder = "lenet5",
          .build = lenet5},
};

}  // namespace

std::span<const Model> models() {
  return kModels;
}

const Model& find(std::string_view name) {
  std::string names;
  for (const Model& model : kModels) {
    if (model.name == name) return model;
    names.append(names.empty() ? "" : ", ").append(model.name);
  }
  throw Error(ErrorCode::kModelNotFound,
              "the zoo has no model called '" + std::string(name) + "', only " + names);
}

}  // namespace fovea::zoo
