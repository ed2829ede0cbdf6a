// A cuDNN that computes nothing: it keeps what it is told, gives the answers that a test has put
// into it, fails where the test wants it to, and notices misuse.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fake_cudnn_plan.h"

namespace fovea::test {

/// An engine that heuristics propose.
struct FakeEngine {
  cuda::CudnnEngine engine;
  std::vector<cudnnBackendNumericalNote_t> numerical{};
  std::vector<cudnnBackendBehaviorNote_t> behavior{};
  std::int64_t workspace_bytes = 0;
};

/// What happened so far.
struct FakeRecord {
  std::int64_t calls = 0;  ///< those that can fail
  std::int64_t calls_after_failure = 0;
  std::int64_t live_objects = 0;      ///< descriptors and handles
  std::int64_t asked = 0;             ///< times that heuristics were
  std::vector<FakePlan> graphs{};     ///< that were finalized
  std::vector<FakePlan> built{};      ///< plans that were
  std::vector<FakeRun> runs{};        ///< plans that were executed
  std::vector<std::string> misuse{};  ///< sentences about calls that no caller may make
};

/// The library's state while it lives; one at a time in a process. Its functions are thread-safe,
/// its members are set before they are called.
class FakeCudnn {
 public:
  FakeCudnn();
  FakeCudnn(const FakeCudnn&) = delete;
  FakeCudnn& operator=(const FakeCudnn&) = delete;
  ~FakeCudnn();

  /// The table of its functions.
  [[nodiscard]] std::shared_ptr<cuda::CudnnLibrary> library() const;

  std::map<cudnnBackendHeurMode_t, std::vector<FakeEngine>> proposals;
  std::int64_t engine_count = 61;

  /// What finalizing a plan answers; called by several threads at once.
  std::function<cudnnStatus_t(const FakePlan&)> build = [](const FakePlan&) {
    return CUDNN_STATUS_SUCCESS;
  };

  /// What executing one does.
  std::function<cudnnStatus_t(const FakeRun&)> run = [](const FakeRun&) {
    return CUDNN_STATUS_SUCCESS;
  };

  /// The call of that index, from 0, fails; negative: none. Calls that destroy or ask for a text
  /// cannot fail and are not counted.
  std::int64_t failing_call = -1;
  cudnnStatus_t failure = CUDNN_STATUS_INTERNAL_ERROR;

  /// What the log says of a failure, and what cudnnGetLastErrorString says.
  std::string logged_reason;
  std::string last_error;

  [[nodiscard]] FakeRecord record() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace fovea::test
