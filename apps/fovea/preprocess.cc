// fovea preprocess IMAGE
#include <cstdio>
#include <cstring>
#include <memory>
#include <tuple>

#include <CLI/CLI.hpp>

#include <fovea/image.h>
#include <fovea/tensors.h>

#include "apps/fovea/command.h"
#include "apps/fovea/files.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

struct Arguments {
  std::string image;
  std::string size;
  std::string output;
  PreprocessArguments preprocess;
};

TensorData tensor_of(const Image& image, Normalization mode) {
  const bool rgb = image.format() == PixelFormat::kRgb8;
  TensorData tensor{"image", {DType::kUInt8, {image.height(), image.width(), rgb ? 3 : 1}}, {}};
  if (mode == Normalization::kNone) {
    // A 16-bit picture keeps its values; there is no unsigned 16-bit tensor type, so they are i32.
    if (image.format() == PixelFormat::kGray16) {
      tensor.desc.dtype = DType::kInt32;
      tensor.bytes.resize(byte_size(tensor.desc));
      for (std::size_t i = 0; i < image.bytes() / 2; ++i) {
        std::uint16_t value = 0;
        std::memcpy(&value, image.data() + 2 * i, sizeof value);
        const std::int32_t wide = value;
        std::memcpy(tensor.bytes.data() + 4 * i, &wide, sizeof wide);
      }
      return tensor;
    }
    const auto* bytes = reinterpret_cast<const std::byte*>(image.data());
    tensor.bytes.assign(bytes, bytes + image.bytes());
    return tensor;
  }
  tensor.desc.dtype = DType::kFloat32;
  std::vector<float> values(static_cast<std::size_t>(num_elements(tensor.desc.shape)));
  normalize(image.view(), mode, values);
  const auto bytes = std::as_bytes(std::span(values));
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

int preprocess(const Arguments& arguments) {
  require_safetensors(arguments.output);
  refuse_overwriting("--output", arguments.output, {arguments.image});
  PreprocessSpec spec;
  if (!arguments.size.empty()) std::tie(spec.height, spec.width) = parse_size(arguments.size);
  arguments.preprocess.apply(spec);
  if (spec.height == 0 && spec.fit != Fit::kStretch) {
    throw InvalidArgument("--keep-aspect-ratio and --shorter-side need --size HxW");
  }
  const Image decoded = decode_file(arguments.image, spec.color);
  const Image resized = resize(decoded.view(), spec);
  const TensorData tensor = tensor_of(resized, spec.mode);
  write_tensors(arguments.output, {tensor});
  std::fprintf(
      stderr, "%s: image %s\n", one_line(arguments.output).c_str(), to_string(tensor.desc).c_str());
  return kExitOk;
}

}  // namespace

void add_preprocess(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("preprocess",
                                         "Decode, resize and normalise one picture, as Keras does");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("IMAGE", arguments->image, "a picture file")->required();
  command->add_option("--size", arguments->size, "HxW in pixels; without it the picture's own");
  command
      ->add_option("--output",
                   arguments->output,
                   "a .safetensors file; tensor 'image', HWC, u8 without a mode, else f32")
      ->required();
  arguments->preprocess.add_to(*command);
  command->footer("Example: fovea preprocess cat.jpg --size 224x224 --output cat.safetensors");
  command->callback(
      [&action, arguments] { action = [arguments] { return preprocess(*arguments); }; });
}

}  // namespace fovea::app
