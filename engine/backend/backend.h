// What a backend offers: a device with its memory and streams, and a library of lowerings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/ceilings.h"
#include "engine/backend/layout.h"
#include "engine/graph/graph.h"
#include "engine/graph/target_traits.h"

namespace fovea {

class WeightStore;

/// A point in a stream's work. Made by the stream's backend; used with streams of that backend
/// only. One thread may wait for it or ask for its time while another one uses the stream.
class Event {
 public:
  virtual ~Event() = default;

  /// Waits until the work before the record() is done; returns at once if it was never recorded.
  virtual void synchronize() = 0;

  /// Milliseconds from `start` to this event, both recorded and done.
  [[nodiscard]] virtual float elapsed_ms_since(const Event& start) const = 0;
};

/// Captured work that can be enqueued again as a whole. It refers to the addresses that were
/// captured.
class Replay {
 public:
  virtual ~Replay() = default;
};

/// An ordered queue of device work, with the library handles that belong to it. One thread at a
/// time.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Waits for everything enqueued; throws DeviceError for a failure since the last call.
  virtual void synchronize() = 0;

  /// Copies host bytes to the device. `src` must stay unchanged until synchronize().
  virtual void upload(std::byte* dst, const std::byte* src, std::size_t bytes) = 0;

  /// Copies device bytes to the host. `dst` holds them after synchronize().
  virtual void download(std::byte* dst, const std::byte* src, std::size_t bytes) = 0;

  /// Copies device bytes to device bytes that do not overlap them.
  virtual void copy(std::byte* dst, const std::byte* src, std::size_t bytes) = 0;

  [[nodiscard]] virtual std::unique_ptr<Event> make_event() = 0;
  virtual void record(Event& event) = 0;

  /// Work enqueued from now on starts after the event; the host does not wait.
  virtual void wait(const Event& event) = 0;

  /// Whether begin_capture() works; where it does not, callers enqueue the steps again instead.
  [[nodiscard]] virtual bool captures() const = 0;

  /// Until end_capture(), enqueued work is recorded and not run. No upload, download or
  /// synchronize() in between.
  virtual void begin_capture() = 0;
  [[nodiscard]] virtual std::unique_ptr<Replay> end_capture() = 0;

  /// Enqueues captured work; `replay` must outlive its execution.
  virtual void replay(const Replay& replay) = 0;
};

/// What a step keeps per context: library objects that carry addresses, so that enqueue() makes
/// none.
class StepState {
 public:
  virtual ~StepState() = default;
};

/// Addresses for one step. Inputs that are Constants in the graph are null: the step has its own
/// packed copies from the WeightStore. A slice's address already points at its first channel.
struct StepArgs {
  std::span<const std::byte* const> inputs;
  std::span<std::byte* const> outputs;
  std::byte* workspace = nullptr;  ///< Tactic::workspace_bytes, aligned to kBufferAlignment
  StepState* state = nullptr;      ///< what bind() made for exactly these addresses
};

/// What compiling a step took and a later compilation can do without: texts of any bytes by keys
/// that mean something to the backend alone. Plan files keep it.
using SavedState = std::map<std::string, std::string>;

/// One compiled operation: immutable, shared by all contexts of a plan.
class Step {
 public:
  virtual ~Step() = default;

  /// Called once per context, with the addresses that every later enqueue() will have.
  /// A step that needs nothing returns null.
  [[nodiscard]] virtual std::unique_ptr<StepState> bind(const StepArgs& /*args*/,
                                                        Stream& /*stream*/) const {
    return nullptr;
  }

  /// Enqueues the operation. Allocates nothing (oneDNN's own constant number of small objects
  /// aside).
  virtual void enqueue(const StepArgs& args, Stream& stream) const = 0;

  /// Adds what Backend::restore() of an equal fingerprint() can use.
  virtual void save(SavedState& /*state*/) const {}
};

/// A node to be lowered, with where its inputs lie. `graph` and `node` have a concrete batch and
/// outlive the compilation of their bucket, so a copy of the site may be kept until Tactic::build.
struct OpSite {
  const Graph& graph;
  const Node& node;
  std::vector<Layout> inputs;  ///< present layouts; meaningless for Constants
  int threads = 1;             ///< CPU threads that one run may use

  /// Only tactics that sum a convolution's own products, as its definition does.
  bool exact_convolutions = false;

  /// Products of float32 values may be computed from 10 bits of fraction (Precision::kTf32).
  bool tf32 = false;

  /// By output: the channel slice where a Concat wants it, dense where it leaves the graph, nothing
  /// where any layout will do, as for those that the list does not reach. What a tactic writes
  /// elsewhere is copied there.
  std::vector<std::optional<Layout>> wanted{};

  [[nodiscard]] std::optional<Layout> wanted_layout(std::size_t output) const {
    return output < wanted.size() ? wanted[output] : std::nullopt;
  }

  [[nodiscard]] const TensorDesc& input(std::size_t i) const { return graph.desc(node.inputs[i]); }

  /// The i-th input as a Constant, or nullptr.
  [[nodiscard]] const Constant* constant(std::size_t i) const {
    return graph.node(node.inputs[i]).as<Constant>();
  }
};

/// Output `output` may lie where input `input` lies, if nobody else reads that input afterwards.
struct Alias {
  std::size_t input = 0;
  std::size_t output = 0;
};

/// What a step is built with: the layouts that the compiler chose.
struct BuildArgs {
  std::span<const Layout> inputs;
  std::span<const Layout> outputs;
  WeightStore& weights;
};

/// Writes an input of the network, for the whole batch, in the opaque layout in which a step reads
/// it: where that takes what only the host computes, such as sines to the last bit.
///
/// dense     the input as the graph describes it, on the host
/// encoded   Layout::bytes, on the host, aligned to kBufferAlignment
///
/// Returns how many bytes of it the step reads. May allocate. Thread-safe. Throws InvalidArgument
/// for values that the operator does not take.
using EncodeInput =
    std::function<std::size_t(std::span<const std::byte> dense, std::span<std::byte> encoded)>;

/// One way to lower a site. Caches, plan files and `--lock` keep names, so that of a kernel of our
/// own is stable across versions and runs. One that a library numbers, an engine of cuDNN or an
/// algorithm of cuBLASLt, holds for one version of it (see Backend::fingerprint); "best-2" is the
/// second in the library's own order, whichever that is. One that is offered for some numbers of
/// threads alone ends in its parts, "/2" or "/1x2": it is for as many threads, or for every team
/// where there is one part.
struct Tactic {
  std::string name;
  std::vector<Layout> inputs;   ///< that it reads: a site's slice only where it can read slices;
                                ///< ignored for Constants
  std::vector<Layout> outputs;  ///< the layouts that it writes
  std::vector<EncodeInput> encoders;  ///< by input, empty for those that are no encoded ones; none
                                      ///< at all where no input is. Encoded are only Inputs of the
                                      ///< graph that nothing else reads
  std::size_t workspace_bytes = 0;
  std::vector<Alias> aliases;
  bool writes_slices = false;  ///< a dense output may also be placed as a kSliced one

  /// That one run is expected to take, with nothing measured; to be compared with others of the
  /// backend. 0: the backend expects nothing.
  double expected_us = 0;

  std::function<std::unique_ptr<Step>(const BuildArgs&)> build;
};

struct MemoryInfo {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
};

/// A device and the library of lowerings for it. Immutable, but for what it keeps to answer faster,
/// and thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual TargetTraits traits() const = 0;

  /// What measured times of its tactics depend on, beside the operation: the device, the libraries
  /// and their versions. One line of text; times are only compared where it is equal.
  [[nodiscard]] virtual std::string fingerprint() const = 0;

  /// All ways to lower the site, best guess first; empty where there is none.
  [[nodiscard]] virtual std::vector<Tactic> tactics(const OpSite& site) const = 0;

  /// Why the library that the backend would rather take has nothing for the site, so that tactics()
  /// are others; empty where it has, or where there is no such library.
  [[nodiscard]] virtual std::string refusal(const OpSite& /*site*/) const { return {}; }

  /// Does what tactics() of these sites would do first, several at once where that takes long.
  /// They may turn out to be others: tactics() alone decides, and tells of errors.
  virtual void prepare(std::span<const OpSite> /*sites*/) const {}

  /// Takes what steps saved under an equal fingerprint(), before sites are asked about. Where it
  /// has something for a site, tactics() offers only the tactics that were saved. What turns out to
  /// be of no use is found anew, and told by notices(). One thread at a time.
  virtual void restore(const SavedState& /*state*/) const {}

  /// What went otherwise than whoever compiles expects, for people; one line of text each.
  [[nodiscard]] virtual std::vector<std::string> notices() const { return {}; }

  /// Weights, of which dimension 0 counts the filters or units, row-major as `type`, where steps
  /// that compute in that type round them in another way than each to nearest; else empty. Steps
  /// may also read them as they are.
  [[nodiscard]] virtual std::vector<std::byte> rounded_weights(const Constant& /*weights*/,
                                                               DType /*type*/) const {
    return {};
  }

  /// The copy from one layout to another, as a tactic with one input and one output.
  [[nodiscard]] virtual Tactic conversion(const TensorDesc& desc,
                                          const Layout& from,
                                          const Layout& to) const = 0;

  /// `threads` is how many CPU threads work enqueued here may use (>= 1).
  [[nodiscard]] virtual std::unique_ptr<Stream> make_stream(int threads) const = 0;

  /// Device memory, aligned to kBufferAlignment, freed with the last pointer; zeroed where it is
  /// on_host(). Throws DeviceError (device/out-of-memory).
  [[nodiscard]] virtual std::shared_ptr<std::byte> allocate(std::size_t bytes) const = 0;

  /// Memory of the host, aligned to kBufferAlignment, freed with the last pointer: of the kind from
  /// and to which copies go on beside other work. It is scarce, and stays in the machine's memory.
  /// This one gives ordinary memory, for where nothing is copied. Throws DeviceError
  /// (device/out-of-memory).
  [[nodiscard]] virtual std::shared_ptr<std::byte> allocate_host(std::size_t bytes) const;

  /// Whether device memory is ordinary memory, which the caller may read and write.
  [[nodiscard]] virtual bool on_host() const { return false; }

  [[nodiscard]] virtual MemoryInfo memory_info() const = 0;

  /// What the device can do at most; nothing where no data sheet says it.
  [[nodiscard]] virtual std::optional<Ceilings> ceilings() const { return std::nullopt; }
};

/// Every buffer of an arena starts at a multiple of this many bytes.
inline constexpr std::size_t kBufferAlignment = 256;

}  // namespace fovea
