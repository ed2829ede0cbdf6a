// fovea run MODEL --input X.safetensors --output Y.safetensors
#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include <fovea/compiler.h>
#include <fovea/context.h>
#include <fovea/model.h>
#include <fovea/tensors.h>

#include "apps/fovea/command.h"
#include "apps/fovea/files.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

struct Arguments {
  ModelArguments model;
  std::string input;
  std::string output;
  std::vector<std::string> taps;
  std::int64_t batch = 32;
};

/// The input file's tensor for a plan input; an only tensor may have any name.
const TensorData& tensor_for(const TensorInfo& input,
                             const std::vector<TensorData>& tensors,
                             const std::string& file) {
  const auto named = std::find_if(
      tensors.begin(), tensors.end(), [&](const TensorData& t) { return t.name == input.name; });
  if (named != tensors.end()) return *named;
  if (tensors.size() == 1) return tensors.front();
  throw InvalidArgument(file + " has no tensor called '" + input.name + "', which the model takes");
}

/// Rows of the tensor along the plan's open batch. A single picture may come without that
/// dimension.
std::int64_t rows_of(const TensorInfo& input, const TensorData& tensor) {
  const Shape& wanted = input.desc.shape;
  const Shape& given = tensor.desc.shape;
  const bool batched = has_batch(input.desc);
  if (tensor.desc.dtype == input.desc.dtype) {
    const std::size_t skip = batched ? 1 : 0;
    if (given.size() == wanted.size() &&
        std::equal(given.begin() + static_cast<std::ptrdiff_t>(skip),
                   given.end(),
                   wanted.begin() + static_cast<std::ptrdiff_t>(skip)) &&
        (!batched || given[0] >= 1)) {
      return batched ? given[0] : 1;
    }
    if (batched && given.size() + 1 == wanted.size() &&
        std::equal(given.begin(), given.end(), wanted.begin() + 1)) {
      return 1;
    }
  }
  throw InvalidArgument("tensor '" + tensor.name + "' is " + to_string(tensor.desc) +
                        "; the model's input '" + input.name + "' is " + to_string(input.desc));
}

/// Runs all rows, a batch at a time, and returns the plan's outputs.
std::vector<TensorData> run_rows(const std::shared_ptr<const Plan>& plan,
                                 const std::vector<const TensorData*>& inputs,
                                 std::int64_t rows) {
  std::vector<TensorData> outputs;
  for (const TensorInfo& output : plan->outputs()) {
    TensorData tensor{output.name, with_batch(output.desc, rows), {}};
    tensor.bytes.resize(byte_size(tensor.desc));
    outputs.push_back(std::move(tensor));
  }
  Context context(plan);
  for (std::int64_t first = 0; first < rows; first += plan->largest_batch()) {
    const std::int64_t n = std::min(plan->largest_batch(), rows - first);
    const auto part = [&](const TensorInfo& tensor, auto bytes) {
      if (!has_batch(tensor.desc)) return bytes;
      const std::size_t row = byte_size(with_batch(tensor.desc, 1));
      return bytes.subspan(static_cast<std::size_t>(first) * row,
                           static_cast<std::size_t>(n) * row);
    };
    std::vector<std::span<const std::byte>> in(inputs.size());
    std::vector<std::span<std::byte>> out(outputs.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i] = part(plan->inputs()[i], std::span<const std::byte>(inputs[i]->bytes));
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = part(plan->outputs()[i], std::span<std::byte>(outputs[i].bytes));
    }
    context.run(n, in, out);
  }
  return outputs;
}

int run(const Arguments& arguments) {
  if (arguments.batch < 1) throw InvalidArgument("--batch is at least 1");
  require_safetensors(arguments.output);
  std::vector<std::string> read = arguments.model.files();
  read.push_back(arguments.input);
  refuse_overwriting("--output", arguments.output, read);
  const Model model = open_model(arguments.model.model, arguments.model.model_options());
  CompileOptions options;
  arguments.model.apply(model, options);
  const std::vector<TensorData> tensors = read_tensors(arguments.input);
  std::vector<const TensorData*> inputs;
  std::int64_t rows = 0;
  for (const TensorInfo& input : model.inputs()) {
    inputs.push_back(&tensor_for(input, tensors, arguments.input));
    const std::int64_t n = rows_of(input, *inputs.back());
    if (!has_batch(input.desc)) continue;
    if (rows != 0 && n != rows) throw InvalidArgument("the inputs have different batch sizes");
    rows = n;
  }
  rows = std::max<std::int64_t>(rows, 1);

  options.taps = arguments.taps;
  options.buckets = {std::min(rows, arguments.batch)};
  const auto plan = compile(model.graph(), options);
  print_notices(plan->notices());
  const std::vector<TensorData> outputs = run_rows(plan, inputs, rows);
  write_tensors(arguments.output, outputs);
  std::fprintf(stderr,
               "%s: tensors %zu, rows %lld, backend %s\n",
               one_line(arguments.output).c_str(),
               outputs.size(),
               static_cast<long long>(rows),
               plan->backend().c_str());
  return kExitOk;
}

}  // namespace

void add_run(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("run", "Run a model on raw tensors");
  auto arguments = std::make_shared<Arguments>();
  arguments->model.add_to(*command, /*with_backend=*/true);
  command
      ->add_option(
          "--input", arguments->input, "a .safetensors file; tensors named like the model's inputs")
      ->required();
  command->add_option("--output", arguments->output, "a .safetensors file for all outputs")
      ->required();
  // One value an option: "--tap c1 lenet5" must not take the model's name for a second tap.
  command
      ->add_option("--tap",
                   arguments->taps,
                   "a value inside the model to write as well; repeatable; 'all' for every one")
      ->allow_extra_args(false);
  command->add_option("--batch", arguments->batch, "the most rows in one run")
      ->capture_default_str();
  command->footer(
      "Example: fovea run lenet5 --input x.safetensors --output y.safetensors --tap c1");
  command->callback([&action, arguments] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace fovea::app
