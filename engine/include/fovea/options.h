// Options with their defaults, to be set by name: {.backend = "cpu", .batch = 8}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fovea/download.h>
#include <fovea/image.h>
#include <fovea/precision.h>

namespace fovea {

/// How a network is compiled.
struct CompileOptions {
  /// "auto" (the fastest device that works here), "cpu", "reference" or another one of
  /// backend_names().
  std::string backend = "auto";

  /// Which of the backend's devices, 0 to device_count() - 1.
  int device = 0;

  /// Batch sizes that are compiled for; empty: 1, 8 and 32 below `batch`, and `batch` itself.
  std::vector<std::int64_t> buckets{};

  /// The largest batch, >= 1; ignored where `buckets` are given.
  std::int64_t batch = 32;

  /// CPU threads that one run uses, at most 1024; 0: all that the process may use.
  int threads = 0;

  /// How convolutions are computed: "auto" is the fastest way, which may transform tiles of the
  /// picture first (Winograd) and differs by rounding: probabilities by at most a few 1e-4 of
  /// their value; "direct" sums the products of the definition itself.
  std::string convolution = "auto";

  /// What the network is computed in: kFp32 everywhere; kBf16 on "cpu" with AVX-512; kTf32, kFp16
  /// and kBf16 on "cuda", as far as the device has them; kFp16 and kBf16 on "reference". Inputs,
  /// outputs and the last layer that sums stay float32. Nothing: Model::default_precision(). A plan
  /// file is compiled anew in another one than its own, of which its packed weights are of no use.
  std::optional<Precision> precision{};

  /// Whether the ways to compute each operation are measured on this machine: "off" takes the one
  /// that the backend thinks best, "fast" measures a few times, "full" often, each operation once.
  /// Times are kept in the cache and used by later compilations that do not say "off". A measured
  /// choice may differ between batch sizes, and then the last bits of a picture's result depend on
  /// how many pictures are run with it; with "off" they never do, but for a plan file that was
  /// compiled with another word and on processors without AVX-512, where oneDNN's sums do.
  std::string tuning = "off";

  /// The most seconds that a compilation measures, up to a day (86,400); 0: 13 for "fast", 600 for
  /// "full". What is not measured by then is computed as with "off".
  double tuning_seconds = 0;

  /// A JSON file that says how nodes of the optimised network are computed, whatever a measurement
  /// says: {"tactics": {"conv1": "NAME", "conv2": {"1": "NAME", "8": "NAME", "*": "NAME"}}}, the
  /// latter by batch size, * for all others; save_tactics() writes one. A plan file keeps it.
  /// Empty: none. Throws argument/invalid for a node or a name that there is not and for a file
  /// that is no such JSON, io/read for one that cannot be read.
  std::string lock{};

  /// Names of values inside the network that become outputs of the plan; "all" is every value.
  std::vector<std::string> taps{};
};

/// What overrides a model's own contract, and is needed where it has none (a bare ONNX file).
struct ModelOptions {
  /// Of a network of the zoo: "imagenet" (its own, whatever they were trained on), "random",
  /// "random:SEED" (0 to 2^64 - 1), or a file: safetensors with tensors named like the network's
  /// parameters, a legacy Keras .h5 file of weights, or an ONNX file of the same network, if that
  /// has no batch normalisation. "none": parameters without data, for looking at the network;
  /// compile refuses it with weights/missing. A model file keeps its own weights then.
  std::string weights = "imagenet";

  /// "imagenet", "mnist", or a file: a JSON list of labels or [id, label] pairs, Keras's class
  /// index, or one label a line. Empty: the model's own.
  std::string labels{};

  /// A model without a contract takes the others only together with a mode.
  std::optional<Normalization> mode{};
  std::optional<Interpolation> interpolation{};
  std::optional<Fit> fit{};
  std::optional<int> shorter_side{};  ///< pixels, 1 to 16,384; with Fit::kCentreCrop
  std::optional<ColorMode> color{};

  /// Height and width of the network's input in pixels, where the network allows another size.
  std::optional<std::pair<int, int>> input_size{};

  /// Told of the download of default weights that are not here yet; may be empty.
  DownloadCallback on_download{};
};

/// How a Classifier uses the machine.
enum class Threading : std::uint8_t {
  kAuto,        ///< kLatency for fewer pictures than threads and a network whose work is worth
                ///< sharing, else kThroughput
  kLatency,     ///< one run at a time over all threads
  kThroughput,  ///< one single-threaded run on every thread
};

struct ClassifierOptions {
  ModelOptions model{};
  std::string backend = "auto";  ///< as in CompileOptions

  /// Which of the backend's devices work, each with the network in its memory and with workers of
  /// its own; none: the first one.
  std::vector<int> devices{};

  std::string convolution = "auto";      ///< as in CompileOptions
  std::optional<Precision> precision{};  ///< as in CompileOptions
  std::string tuning = "off";            ///< as in CompileOptions
  double tuning_seconds = 0;             ///< as in CompileOptions
  std::string lock{};                    ///< as in CompileOptions
  std::int64_t batch = 0;                ///< pictures per run, >= 1; 0: chosen for the backend
  int threads = 0;                       ///< CPU threads, at most 1024; 0: all the process may use
  Threading threading = Threading::kAuto;

  /// Predictions per picture, 1 to the number of classes; nothing: 5, or all where there are fewer.
  std::optional<int> top_k{};

  DecodeLimits limits{};
};

/// CPU threads that this process may use: its affinity mask and control-group quota, at least 1.
[[nodiscard]] int available_threads();

/// `wanted`, or all threads that the process may use for 0. Throws argument/invalid outside 0 to
/// 1024: from some tens of thousands on, OpenMP's stack overflows.
[[nodiscard]] int checked_threads(int wanted);

/// The backends of this build, fastest first.
[[nodiscard]] std::vector<std::string> backend_names();

/// Devices that the backend can use here: 1 for those on the host, CUDA_VISIBLE_DEVICES for "cuda".
/// Throws argument/invalid for a name that there is not, device/none for "cuda" in a build without.
[[nodiscard]] int device_count(std::string_view backend);

/// Throws what compile() throws where the backend has no device of that number here, before there
/// is a model: device/none, for backends on the host argument/invalid; else as device_count().
void check_device(std::string_view backend, int device);

}  // namespace fovea
