// Runs plans of a zoo network on command, so that a script can take turns between it and a peer.
//
//   plan_bench MODEL WEIGHTS INPUT.safetensors
//
// WEIGHTS is what `--weights` of the fovea program takes. The rows of INPUT's only tensor are
// repeated to fill a batch; it is read at the first `open`. One command a line on stdin, one line
// of answer on stdout:
//
//   package FOLDER                     writes the network with its weights as a package; "ok"
//   open NAME BATCH THREADS CONTEXTS [PRECISION [TUNING]]   compiles; "ok"
//   time NAME RUNS                     every context runs RUNS times, all of them at once; seconds
//   outputs NAME FILE.safetensors      writes what the first context's last run gave; "ok"
//   close NAME                         frees what open made; "ok"
//
// Nothing computes between commands.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fovea/compiler.h>
#include <fovea/context.h>
#include <fovea/error.h>
#include <fovea/model.h>
#include <fovea/tensors.h>

namespace {

using fovea::TensorData;

/// A context with the memory that it reads and writes.
class Runner {
 public:
  Runner(const std::shared_ptr<const fovea::Plan>& plan, std::int64_t batch, const TensorData& rows)
      : context_(plan), batch_(batch) {
    const std::size_t row_bytes =
        fovea::byte_size(fovea::with_batch(plan->inputs().front().desc, 1));
    const std::size_t given = rows.bytes.size() / row_bytes;
    input_.resize(row_bytes * static_cast<std::size_t>(batch));
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch); ++i) {
      std::memcpy(
          input_.data() + i * row_bytes, rows.bytes.data() + (i % given) * row_bytes, row_bytes);
    }
    for (const fovea::TensorInfo& output : plan->outputs()) {
      TensorData tensor{output.name, fovea::with_batch(output.desc, batch), {}};
      tensor.bytes.resize(fovea::byte_size(tensor.desc));
      outputs_.push_back(std::move(tensor));
    }
  }

  void run(int times) {
    const std::span<const std::byte> input(input_);
    std::vector<std::span<std::byte>> outputs(outputs_.size());
    std::transform(outputs_.begin(), outputs_.end(), outputs.begin(), [](TensorData& tensor) {
      return std::span(tensor.bytes);
    });
    for (int i = 0; i < times; ++i) context_.run(batch_, {&input, 1}, outputs);
  }

  [[nodiscard]] const std::vector<TensorData>& outputs() const { return outputs_; }

 private:
  fovea::Context context_;
  std::int64_t batch_;
  std::vector<std::byte> input_;
  std::vector<TensorData> outputs_;
};

/// Seconds until all runners have run that often. A single one runs on the calling thread.
double time_runs(std::vector<std::unique_ptr<Runner>>& runners, int runs) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < runners.size(); ++i) {
    others.emplace_back([&runner = *runners[i], runs] { runner.run(runs); });
  }
  runners.front()->run(runs);
  others.clear();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Bench {
 public:
  Bench(const std::string& model, const std::string& weights, const std::string& input)
      : model_(fovea::open_model(model, options_with(weights))), input_path_(input) {}

  /// The answer to one command.
  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::string name;
    words >> verb >> name;
    if (verb == "package") {
      fovea::save_package(model_, name);
      return "ok";
    }
    if (verb == "open") return open(name, words);
    const auto runners = runners_.find(name);
    if (runners == runners_.end()) throw fovea::InvalidArgument("nothing is open as " + name);
    if (verb == "time") {
      int runs = 0;
      words >> runs;
      return std::to_string(time_runs(runners->second, runs));
    }
    if (verb == "outputs") {
      std::string file;
      words >> file;
      fovea::write_tensors(file, runners->second.front()->outputs());
      return "ok";
    }
    if (verb == "close") {
      runners_.erase(runners);
      return "ok";
    }
    throw fovea::InvalidArgument("no command is called " + verb);
  }

 private:
  std::string open(const std::string& name, std::istringstream& words) {
    std::int64_t batch = 0;
    int threads = 0;
    int contexts = 0;
    words >> batch >> threads >> contexts;
    if (contexts < 1) {
      throw fovea::InvalidArgument("open NAME BATCH THREADS CONTEXTS [PRECISION [TUNING]]");
    }
    fovea::CompileOptions options;
    if (std::string precision; words >> precision) {
      options.precision = fovea::parse_precision(precision);
    }
    words >> options.tuning;
    options.backend = "cpu";
    options.buckets = {batch};
    options.threads = threads;
    const auto plan = fovea::compile(model_.graph(), options);
    auto& runners = runners_[name];
    for (int i = 0; i < contexts; ++i) {
      runners.push_back(std::make_unique<Runner>(plan, batch, input()));
    }
    return "ok";
  }

  const TensorData& input() {
    if (input_.empty()) input_ = fovea::read_tensors(input_path_);
    if (input_.size() != 1) throw fovea::InvalidArgument(input_path_ + " must hold one tensor");
    return input_.front();
  }

  static fovea::ModelOptions options_with(const std::string& weights) {
    fovea::ModelOptions options;
    options.weights = weights;
    return options;
  }

  fovea::Model model_;
  std::string input_path_;
  std::vector<TensorData> input_;
  std::map<std::string, std::vector<std::unique_ptr<Runner>>> runners_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw fovea::InvalidArgument("plan_bench MODEL WEIGHTS INPUT.safetensors");
    Bench bench(argv[1], argv[2], argv[3]);
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << bench.answer(line) << '\n' << std::flush;
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "plan_bench: %s\n", error.what());
    return 1;
  }
}
