// Every candidate list and every plan of a device, made once however many sites ask for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda/cudnn_plan.h"
#include "engine/backend/cuda/cudnn_saved.h"

namespace fovea::cuda {

/// Values by key. The first who asks makes the value and later ones wait for it; what making it
/// threw is thrown again, but for a lack of memory, which may pass: whoever asks later makes it.
/// Thread-safe.
template <typename Key, typename Value>
class MadeOnce {
 public:
  template <typename Make>
  Value get(const Key& key, Make&& make) {
    std::promise<Value> promise;
    std::shared_future<Value> value;
    bool is_new = false;
    {
      const std::scoped_lock lock(mutex_);
      const auto known = values_.find(key);
      is_new = known == values_.end();
      value = is_new ? promise.get_future().share() : known->second;
      if (is_new) values_.emplace(key, value);
    }
    if (is_new) {
      try {
        promise.set_value(make());
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kDeviceOutOfMemory) forget(key);
        promise.set_exception(std::current_exception());
      } catch (const std::bad_alloc&) {
        forget(key);
        promise.set_exception(std::current_exception());
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    }
    return value.get();
  }

  /// Forgets the value if it was made and `is_unused(value)`; what making it threw is kept.
  template <typename Predicate>
  void forget_if(const Key& key, Predicate&& is_unused) {
    const std::scoped_lock lock(mutex_);
    const auto known = values_.find(key);
    if (known == values_.end()) return;
    if (known->second.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    try {
      if (is_unused(known->second.get())) values_.erase(known);
    } catch (const std::exception&) {
      return;
    }
  }

 private:
  void forget(const Key& key) {
    const std::scoped_lock lock(mutex_);
    values_.erase(key);
  }

  std::mutex mutex_;
  std::map<Key, std::shared_future<Value>> values_;
};

/// What plans are made for.
struct CudnnDevice {
  /// The properties of a device that is not here, as JSON of cuDNN's. Empty: the device that is
  /// current in the threads that ask.
  std::string properties{};

  /// Called first in every thread that is started to build plans: makes the device current there.
  std::function<void()> enter_thread = [] {};
};

/// Of a plan whose workspace is larger than what there is for it, for messages.
[[nodiscard]] std::string too_large(std::size_t needed, std::size_t said);

/// Makes candidate lists and plans, for one device. Thread-safe; plans may outlive it.
class CudnnPlans {
 public:
  /// Throws CudnnError where cuDNN does not understand the properties.
  CudnnPlans(std::shared_ptr<const CudnnLibrary> library, CudnnDevice device);

  [[nodiscard]] const std::shared_ptr<const CudnnLibrary>& library() const { return library_; }

  /// Throws CudnnError where cuDNN does not take the convolution.
  [[nodiscard]] std::shared_ptr<const CudnnCandidates> candidates(
      const CudnnConvolution& convolution);

  /// From a saved plan where there is one that loads, else from the operation. Throws CudnnError
  /// where the engine refuses.
  ///
  /// most_workspace_bytes   a saved plan that needs more is of no use; others are as they are
  [[nodiscard]] std::shared_ptr<const CudnnPlan> plan(
      const CudnnConvolution& convolution,
      const CudnnEngine& engine,
      std::size_t most_workspace_bytes = kMostWorkspaceBytes);

  /// Frees the plan where only plan() would find it: it is made again then.
  void drop_unused(const CudnnConvolution& convolution, const CudnnEngine& engine);

  /// Builds several at once, in threads of its own, for plan() to find; so it does errors.
  void build(std::span<const std::pair<CudnnConvolution, CudnnEngine>> plans);

  /// What `check` said of the plan when it was first asked. Throws what it throws.
  [[nodiscard]] bool is_trusted(const CudnnConvolution& convolution,
                                const CudnnEngine& engine,
                                const std::function<bool()>& check) {
    return trusted_.get({convolution, engine}, check);
  }

  /// What save() of cudnn_saved.h wrote for one version of cuDNN and one kind of device. To be
  /// called before anything is asked for.
  void restore(const SavedState& state) { saved_ = SavedPlans(state); }

  [[nodiscard]] const SavedPlans& saved() const { return saved_; }

  /// What was saved and is of no use, for people.
  [[nodiscard]] std::vector<std::string> notices() const;

  /// Calls work(0) to work(count - 1), which throw nothing, in the calling thread and as many
  /// others as the machine has processors for, 8 in all at most.
  void in_threads(std::size_t count, const std::function<void(std::size_t)>& work) const;

 private:
  using Handle = std::shared_ptr<cudnnContext>;
  using PlanKey = std::pair<CudnnConvolution, CudnnEngine>;

  class HandleLease;

  [[nodiscard]] Handle take_handle();
  void give_back(Handle handle);

  [[nodiscard]] std::optional<CudnnPlan> load(const CudnnConvolution& convolution,
                                              const CudnnEngine& engine,
                                              const CudnnTarget& target,
                                              std::size_t most_workspace_bytes);

  void refuse(const std::string& reason);

  /// Calls `make` with a target that no other thread uses meanwhile, and keeps what the target
  /// refers to as long as the result.
  template <typename Make>
  auto with_target(Make&& make);

  std::shared_ptr<const CudnnLibrary> library_;
  std::function<void()> enter_thread_;
  std::shared_ptr<const Descriptor> properties_;  ///< null: of the handles' device
  std::mutex handles_mutex_;
  std::vector<Handle> handles_;  ///< that nobody uses now
  SavedPlans saved_;
  mutable std::mutex refused_mutex_;
  std::size_t refused_ = 0;    ///< saved plans that were not loaded
  std::string first_refusal_;  ///< why the first of them was not
  MadeOnce<CudnnConvolution, std::shared_ptr<const CudnnCandidates>> candidates_;
  MadeOnce<PlanKey, std::shared_ptr<const CudnnPlan>> plans_;
  MadeOnce<PlanKey, bool> trusted_;
};

}  // namespace fovea::cuda
