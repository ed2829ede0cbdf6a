// What the subcommands share: registration, model options, output, exit codes.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fovea/error.h>
#include <fovea/model.h>
#include <fovea/options.h>

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
}  // namespace CLI

namespace fovea::app {

/// Exit codes of every command.
inline constexpr int kExitOk = 0;
inline constexpr int kExitSomeFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;

/// The exit code of a command that an error with this code stopped.
[[nodiscard]] int exit_code(ErrorCode code);

/// Adds the subcommand to the program; when it is parsed, `action` is what runs it.
using Action = std::function<int()>;
using AddCommand = void(CLI::App& program, Action& action);

AddCommand add_classify;
AddCommand add_run;
AddCommand add_preprocess;
AddCommand add_summary;
AddCommand add_plot;
AddCommand add_import;
AddCommand add_compile;
AddCommand add_inspect;
AddCommand add_models;
AddCommand add_bench;
AddCommand add_verify;
AddCommand add_doctor;
AddCommand add_version;

/// How it is chosen how operations are computed, as the user said it.
struct TacticArguments {
  std::string tuning = "off";
  double tuning_seconds = 0;
  std::string lock;

  void add_to(CLI::App& command);

  /// To CompileOptions or ClassifierOptions.
  template <typename Options>
  void apply(Options& options) const {
    options.tuning = tuning;
    options.tuning_seconds = tuning_seconds;
    options.lock = lock;
  }
};

/// Prints what a compilation has to tell, Plan::notices(), to stderr.
void print_notices(std::span<const std::string> notices);

/// The options that every command with a MODEL takes, as the user gave them.
struct ModelArguments {
  std::string model;
  std::string weights = "imagenet";
  std::string backend = "auto";
  std::string device = "0";
  std::string precision;  ///< empty: the model's own
  std::string convolution = "auto";
  std::string input_size;
  std::string target;  ///< a type of device that need not be here; empty: those of this machine
  int threads = 0;
  TacticArguments tactics;

  /// `with_backend`: also the options of commands that compile the model.
  void add_to(CLI::App& command, bool with_backend);

  /// Throws argument/invalid; also what speaks against the backend or its devices, before anything
  /// is downloaded.
  [[nodiscard]] ModelOptions model_options() const;

  /// The files that are read, as far as the command line names them.
  [[nodiscard]] std::vector<std::string> files() const;

  /// Of --device: numbers separated by commas, or all that the model's backend has. Throws
  /// argument/invalid.
  [[nodiscard]] std::vector<int> devices(const Model& opened) const;

  /// The one of a command that uses one. Throws argument/invalid for several.
  [[nodiscard]] int only_device(const Model& opened) const;

  /// Says on stderr what speaks against it on this machine. Throws argument/invalid.
  [[nodiscard]] Precision checked_precision(const Model& opened) const;

  /// To CompileOptions or ClassifierOptions: what every command says of compiling. Throws as
  /// checked_precision.
  template <typename Options>
  void apply(const Model& opened, Options& options) const {
    options.backend = backend;
    if constexpr (requires { options.devices; }) {
      options.devices = devices(opened);
    } else {
      options.device = only_device(opened);
    }
    options.convolution = convolution;
    if (target.empty()) {
      options.precision = checked_precision(opened);
    } else if (!precision.empty()) {
      options.precision = parse_precision(precision);  // else the target's backend decides
    }
    options.threads = threads;
    tactics.apply(options);
  }

 private:
  /// As devices(), of that backend.
  [[nodiscard]] std::vector<int> devices_of(const std::string& named) const;
};

/// The options that describe how pictures are preprocessed.
struct PreprocessArguments {
  std::string mode;
  std::string interpolation;
  std::string color;
  bool keep_aspect_ratio = false;
  std::optional<int> shorter_side;

  void add_to(CLI::App& command);

  /// Overrides what was given on the command line.
  void apply(ModelOptions& options) const;
  void apply(PreprocessSpec& spec) const;
};

/// Whether MODEL is a network's name, which goes before a file that is called like it.
[[nodiscard]] bool is_zoo_network(std::string_view model);

/// "HxW" as height and width. Throws argument/invalid.
[[nodiscard]] std::pair<int, int> parse_size(const std::string& text);

/// The text as a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

/// The shortest decimal that gives the float back; "NaN", "Infinity" and "-Infinity" as JSON
/// strings.
[[nodiscard]] std::string json_float(float value);

}  // namespace fovea::app
