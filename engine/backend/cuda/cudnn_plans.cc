#include "engine/backend/cuda/cudnn_plans.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>

#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// Threads that build plans at once, at most.
constexpr std::size_t kMostBuilders = 8;

CudnnRules rules_for(const CudnnLibrary& library, const CudnnConvolution& convolution) {
  return {.strict_fp32 = convolution.dtype == DType::kFloat32 && !convolution.tf32,
          .exact = convolution.exact_convolutions,
          .may_compile = library.compiles_kernels,
          .most_workspace_bytes = kMostWorkspaceBytes};
}

std::shared_ptr<const Descriptor> make_properties(const CudnnLibrary& library,
                                                  const std::string& json) {
  if (json.empty()) return nullptr;
  Descriptor properties(library, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  properties.set_text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json);
  properties.finalize("reading a device's properties");
  return std::make_shared<const Descriptor>(std::move(properties));
}

}  // namespace

std::string too_large(std::size_t needed, std::size_t said) {
  return cat("it needs ", needed, " bytes of workspace; its engine said ", said);
}

CudnnPlans::CudnnPlans(std::shared_ptr<const CudnnLibrary> library, CudnnDevice device)
    : library_(std::move(library)),
      enter_thread_(std::move(device.enter_thread)),
      properties_(make_properties(*library_, device.properties)) {}

CudnnPlans::Handle CudnnPlans::take_handle() {
  {
    const std::scoped_lock lock(handles_mutex_);
    if (!handles_.empty()) {
      Handle handle = std::move(handles_.back());
      handles_.pop_back();
      return handle;
    }
  }
  return make_handle(*library_);
}

void CudnnPlans::give_back(Handle handle) {
  const std::scoped_lock lock(handles_mutex_);
  handles_.push_back(std::move(handle));
}

/// A handle that goes back when this goes.
class CudnnPlans::HandleLease {
 public:
  explicit HandleLease(CudnnPlans& plans) : plans_(plans), handle_(plans.take_handle()) {}

  HandleLease(const HandleLease&) = delete;
  HandleLease& operator=(const HandleLease&) = delete;

  ~HandleLease() { plans_.give_back(handle_); }

  [[nodiscard]] const Handle& get() const { return handle_; }

 private:
  CudnnPlans& plans_;
  Handle handle_;
};

template <typename Make>
auto CudnnPlans::with_target(Make&& make) {
  using Made = decltype(make(CudnnTarget{}));

  struct Kept {
    std::shared_ptr<const CudnnLibrary> library;
    std::shared_ptr<const void> target;
    Made made;
  };

  const auto keep = [&](std::shared_ptr<const void> of, const CudnnTarget& target) {
    const auto kept = std::make_shared<const Kept>(Kept{library_, std::move(of), make(target)});
    return std::shared_ptr<const Made>(kept, &kept->made);
  };
  if (properties_ != nullptr) return keep(properties_, {.properties = properties_.get()});

  const HandleLease lease(*this);
  return keep(lease.get(), {.handle = lease.get().get()});
}

std::shared_ptr<const CudnnCandidates> CudnnPlans::candidates(const CudnnConvolution& convolution) {
  return candidates_.get(convolution, [&] {
    return with_target([&](const CudnnTarget& target) {
      const CudnnGraph graph = make_graph(*library_, convolution, target.handle);
      return find_candidates(*library_, graph, target, rules_for(*library_, convolution));
    });
  });
}

/// Counts a saved plan that is of no use.
void CudnnPlans::refuse(const std::string& reason) {
  const std::scoped_lock lock(refused_mutex_);
  if (refused_++ == 0) first_refusal_ = reason;
}

/// The saved plan; nothing where there is none, or one of another version, device or engine: it
/// only saves time, and is built again.
std::optional<CudnnPlan> CudnnPlans::load(const CudnnConvolution& convolution,
                                          const CudnnEngine& engine,
                                          const CudnnTarget& target,
                                          std::size_t most_workspace_bytes) {
  const std::string* const json = saved_.plan(convolution, engine);
  if (json == nullptr) return std::nullopt;
  try {
    CudnnPlan plan(library_, *json, target);
    if (plan.workspace_bytes() <= most_workspace_bytes) return plan;
    refuse(too_large(plan.workspace_bytes(), most_workspace_bytes));
  } catch (const CudnnError& error) {
    if (error.code() == ErrorCode::kDeviceOutOfMemory) throw;
    refuse(error.what());
  }
  return std::nullopt;
}

std::shared_ptr<const CudnnPlan> CudnnPlans::plan(const CudnnConvolution& convolution,
                                                  const CudnnEngine& engine,
                                                  std::size_t most_workspace_bytes) {
  return plans_.get({convolution, engine}, [&] {
    return with_target([&](const CudnnTarget& target) {
      auto saved = load(convolution, engine, target, most_workspace_bytes);
      if (saved) return *std::move(saved);
      return CudnnPlan(library_, convolution, engine, target);
    });
  });
}

void CudnnPlans::drop_unused(const CudnnConvolution& convolution, const CudnnEngine& engine) {
  // Whoever is being given it meanwhile keeps it.
  plans_.forget_if({convolution, engine}, [](const std::shared_ptr<const CudnnPlan>& plan) {
    return plan.use_count() == 1;
  });
}

void CudnnPlans::in_threads(std::size_t count, const std::function<void(std::size_t)>& work) const {
  std::atomic<std::size_t> next = 0;
  const auto take = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t most = std::min({count, processors, kMostBuilders});
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < most; ++i) {
    try {
      threads.emplace_back([&] {
        try {
          enter_thread_();
        } catch (const std::exception&) {
          return;  // whoever asks for a plan is told
        }
        take();
      });
    } catch (const std::system_error&) {
      break;  // as many threads as there can be
    }
  }
  take();
}

void CudnnPlans::build(std::span<const std::pair<CudnnConvolution, CudnnEngine>> plans) {
  in_threads(plans.size(), [&](std::size_t i) {
    try {
      (void)plan(plans[i].first, plans[i].second);
    } catch (const std::exception&) {
      return;  // whoever asks for this plan gets it
    }
  });
}

std::vector<std::string> CudnnPlans::notices() const {
  std::vector<std::string> notices;
  const std::scoped_lock lock(refused_mutex_);
  if (refused_ > 0) {
    notices.push_back(cat(refused_,
                          " of cuDNN's saved plans could not be loaded and were made "
                          "again, which takes longer (the first: ",
                          first_refusal_,
                          ")"));
  }
  if (saved_.unknown() > 0) {
    notices.push_back(cat(saved_.unknown(),
                          " saved entries of cuDNN's are none of this version and were left aside; "
                          "fovea compile writes them anew"));
  }
  return notices;
}

}  // namespace fovea::cuda
