#include "tests/support/fake_cudnn.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <span>
#include <utility>

#include "engine/core/require.h"
#include "tests/support/fake_cudnn_descriptor.h"

namespace fovea::test {

namespace {

using Descriptor = FakeDescriptor;

}  // namespace

struct FakeCudnn::State {
  mutable std::mutex mutex;
  FakeCudnn* fake = nullptr;
  std::map<const void*, std::unique_ptr<Descriptor>> descriptors;
  std::map<cudnnHandle_t, cudaStream_t> handles;
  std::vector<std::unique_ptr<char>> handle_places;  ///< whose addresses the handles are
  bool failed = false;
  FakeRecord record;
  cudnnCallback_t callback = nullptr;

  /// Counts a call; the failure where it is the one that fails.
  cudnnStatus_t begin() {
    if (failed) ++record.calls_after_failure;
    if (record.calls++ != fake->failing_call) return CUDNN_STATUS_SUCCESS;
    failed = true;
    return refuse(fake->failure);
  }

  cudnnStatus_t refuse(cudnnStatus_t status) const {
    if (callback == nullptr || fake->logged_reason.empty()) return status;
    const cudnnDebug_t call{};
    const std::string report =
        cat("a call:", '\0', "  Warning: X; Reason: ", fake->logged_reason, '\0', "Time: 0", '\0');
    callback(CUDNN_SEV_WARNING, nullptr, &call, report.c_str());
    return status;
  }

  cudnnStatus_t wrong(std::string what) {
    record.misuse.push_back(std::move(what));
    return CUDNN_STATUS_BAD_PARAM;
  }

  [[nodiscard]] const FakeEngine* find(const cuda::CudnnEngine& engine) const {
    for (const auto& [mode, engines] : fake->proposals) {
      const auto found = std::ranges::find(engines, engine, &FakeEngine::engine);
      if (found != engines.end()) return &*found;
    }
    return nullptr;
  }

  [[nodiscard]] const FakeEngine* find_index(std::int64_t index) const {
    for (const auto& [mode, engines] : fake->proposals) {
      const auto found = std::ranges::find_if(
          engines, [&](const FakeEngine& engine) { return engine.engine.index == index; });
      if (found != engines.end()) return &*found;
    }
    return nullptr;
  }

  [[nodiscard]] cuda::CudnnEngine engine_of(const Descriptor& config) const {
    const Descriptor& engine = *config.ref(CUDNN_ATTR_ENGINECFG_ENGINE);
    return {engine.one<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX), knobs_of(config)};
  }

  [[nodiscard]] FakePlan plan_of(const Descriptor& plan) const {
    if (const Descriptor* config = plan.ref(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)) {
      const Descriptor& engine = *config->ref(CUDNN_ATTR_ENGINECFG_ENGINE);
      FakePlan result = describe_graph(*engine.ref(CUDNN_ATTR_ENGINE_OPERATION_GRAPH));
      result.engine = engine_of(*config);
      return result;
    }
    const auto text = plan.all<char>(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
    return parse_plan({text.data(), text.size()});
  }

  /// Puts what heuristics give into the caller's descriptors.
  cudnnStatus_t propose(const Descriptor& heuristics,
                        std::span<const cudnnBackendDescriptor_t> configs,
                        std::int64_t* count) {
    ++record.asked;
    const auto& engines =
        fake->proposals[heuristics.one<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE)];
    *count = static_cast<std::int64_t>(engines.size());
    for (std::size_t i = 0; i < std::min(engines.size(), configs.size()); ++i) {
      auto& config = *static_cast<Descriptor*>(configs[i]);
      config.finalized = true;
      config.put<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, {engines[i].engine.index});
      config.put<cuda::CudnnKnob>(CUDNN_ATTR_ENGINE_KNOB_INFO, engines[i].engine.knobs);
      config.put<std::int64_t>(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, {engines[i].workspace_bytes});
    }
    return CUDNN_STATUS_SUCCESS;
  }

  cudnnStatus_t set(Descriptor& descriptor,
                    cudnnBackendAttributeName_t name,
                    cudnnBackendAttributeType_t type,
                    std::int64_t count,
                    const void* values) {
    if (descriptor.finalized) return wrong("an attribute is set behind finalize()");
    if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
      const auto referred =
          std::span(static_cast<Descriptor* const*>(values), static_cast<std::size_t>(count));
      for (const Descriptor* handle : referred) {
        if (!descriptors.contains(handle)) return wrong("an attribute is a destroyed descriptor");
        if (!handle->finalized) return wrong("an attribute is not finalized");
      }
    }
    const auto bytes = std::span(static_cast<const std::byte*>(values),
                                 static_cast<std::size_t>(count) * size_of(type));
    descriptor.attributes[name].assign(bytes.begin(), bytes.end());
    return CUDNN_STATUS_SUCCESS;
  }

  cudnnStatus_t get(Descriptor& descriptor,
                    cudnnBackendAttributeName_t name,
                    cudnnBackendAttributeType_t type,
                    std::int64_t requested,
                    std::int64_t* count,
                    void* values) {
    if (!descriptor.finalized) return wrong("an attribute is read before finalize()");
    const auto wanted = static_cast<std::size_t>(requested);
    if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS) {
      return propose(descriptor, {static_cast<cudnnBackendDescriptor_t*>(values), wanted}, count);
    }
    if (name == CUDNN_ATTR_ENGINECFG_ENGINE) {
      auto& engine = **static_cast<Descriptor**>(values);
      engine.finalized = true;
      engine.put(CUDNN_ATTR_ENGINE_GLOBAL_INDEX,
                 descriptor.all<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
      const FakeEngine* known =
          find_index(engine.one<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
      engine.put(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, known->numerical);
      engine.put(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, known->behavior);
      *count = 1;
      return CUDNN_STATUS_SUCCESS;
    }
    if (name == CUDNN_ATTR_ENGINECFG_KNOB_CHOICES) {
      const auto knobs = descriptor.all<cuda::CudnnKnob>(CUDNN_ATTR_ENGINE_KNOB_INFO);
      *count = static_cast<std::int64_t>(knobs.size());
      for (std::size_t i = 0; i < knobs.size(); ++i) {
        auto& choice = *static_cast<Descriptor**>(values)[i];
        choice.finalized = true;
        choice.put<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE,
                                           {static_cast<cudnnBackendKnobType_t>(knobs[i].type)});
        choice.put<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, {knobs[i].value});
      }
      return CUDNN_STATUS_SUCCESS;
    }
    const auto& bytes = descriptor.attributes[name];
    const std::size_t there = bytes.size() / size_of(type);
    *count = static_cast<std::int64_t>(there);
    std::copy_n(
        bytes.begin(), std::min(there, wanted) * size_of(type), static_cast<std::byte*>(values));
    return CUDNN_STATUS_SUCCESS;
  }

  cudnnStatus_t finalize_plan(Descriptor& descriptor) {
    FakePlan plan;
    try {
      plan = plan_of(descriptor);
    } catch (const std::exception&) {
      return refuse(CUDNN_STATUS_BAD_PARAM);
    }
    mutex.unlock();  // plans are built side by side
    const cudnnStatus_t status = fake->build(plan);
    mutex.lock();
    if (status != CUDNN_STATUS_SUCCESS) return refuse(status);
    const FakeEngine* engine = find(plan.engine);
    descriptor.put<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                 {engine == nullptr ? 0 : engine->workspace_bytes});
    const std::string json = plan_json(plan);
    descriptor.put(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                   std::vector<char>(json.begin(), json.end()));
    record.built.push_back(plan);
    return CUDNN_STATUS_SUCCESS;
  }

  cudnnStatus_t finalize(Descriptor& descriptor) {
    if (descriptor.finalized) return wrong("a descriptor is finalized twice");
    if (descriptor.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
      const cudnnStatus_t status = finalize_plan(descriptor);
      if (status != CUDNN_STATUS_SUCCESS) return status;
    }
    if (descriptor.type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
      descriptor.put<std::int64_t>(CUDNN_ATTR_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT,
                                   {fake->engine_count});
      record.graphs.push_back(describe_graph(descriptor));
    }
    descriptor.finalized = true;
    return CUDNN_STATUS_SUCCESS;
  }

  cudnnStatus_t execute(cudnnHandle_t handle, const Descriptor& plan, const Descriptor& pack) {
    if (!handles.contains(handle)) return wrong("a plan is executed with a destroyed handle");
    if (!plan.finalized || !pack.finalized) return wrong("what is executed is not finalized");
    FakeRun done{plan_of(plan),
                 {},
                 pack.one<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE),
                 handle,
                 handles[handle]};
    const auto ids = pack.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    const auto addresses = pack.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    for (std::size_t i = 0; i < ids.size(); ++i) done.addresses[ids[i]] = addresses.at(i);
    record.runs.push_back(done);
    return fake->run(done);
  }
};

namespace {

FakeCudnn::State* current = nullptr;

/// Runs `call` on the state, as one counted call of a descriptor that must be there.
template <typename Call>
cudnnStatus_t with(cudnnBackendDescriptor_t handle, Call&& call) {
  const std::scoped_lock lock(current->mutex);
  if (const auto status = current->begin(); status != CUDNN_STATUS_SUCCESS) return status;
  auto* const descriptor = static_cast<Descriptor*>(handle);
  if (!current->descriptors.contains(descriptor)) {
    return current->wrong("a destroyed descriptor is used");
  }
  return call(*descriptor);
}

cudnnStatus_t create_descriptor(cudnnBackendDescriptorType_t type,
                                cudnnBackendDescriptor_t* handle) {
  const std::scoped_lock lock(current->mutex);
  if (const auto status = current->begin(); status != CUDNN_STATUS_SUCCESS) return status;
  auto made = std::make_unique<Descriptor>(Descriptor{.type = type, .attributes = {}});
  *handle = made.get();
  current->descriptors.emplace(*handle, std::move(made));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t destroy_descriptor(cudnnBackendDescriptor_t handle) {
  const std::scoped_lock lock(current->mutex);
  if (current->descriptors.erase(handle) == 0) {
    return current->wrong("a descriptor is destroyed twice");
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t set_attribute(cudnnBackendDescriptor_t handle,
                            cudnnBackendAttributeName_t name,
                            cudnnBackendAttributeType_t type,
                            std::int64_t count,
                            const void* values) {
  return with(handle, [&](Descriptor& descriptor) {
    return current->set(descriptor, name, type, count, values);
  });
}

cudnnStatus_t get_attribute(const cudnnBackendDescriptor_t handle,
                            cudnnBackendAttributeName_t name,
                            cudnnBackendAttributeType_t type,
                            std::int64_t requested,
                            std::int64_t* count,
                            void* values) {
  return with(handle, [&](Descriptor& descriptor) {
    return current->get(descriptor, name, type, requested, count, values);
  });
}

cudnnStatus_t finalize(cudnnBackendDescriptor_t handle) {
  return with(handle, [&](Descriptor& descriptor) { return current->finalize(descriptor); });
}

cudnnStatus_t create_handle(cudnnHandle_t* handle) {
  const std::scoped_lock lock(current->mutex);
  if (const auto status = current->begin(); status != CUDNN_STATUS_SUCCESS) return status;
  current->handle_places.push_back(std::make_unique<char>());
  *handle = reinterpret_cast<cudnnHandle_t>(current->handle_places.back().get());
  current->handles.emplace(*handle, nullptr);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t destroy_handle(cudnnHandle_t handle) {
  const std::scoped_lock lock(current->mutex);
  if (current->handles.erase(handle) == 0) return current->wrong("a handle is destroyed twice");
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t set_stream(cudnnHandle_t handle, cudaStream_t stream) {
  const std::scoped_lock lock(current->mutex);
  if (const auto status = current->begin(); status != CUDNN_STATUS_SUCCESS) return status;
  current->handles[handle] = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t execute(cudnnHandle_t handle,
                      cudnnBackendDescriptor_t plan,
                      cudnnBackendDescriptor_t pack) {
  return with(plan, [&](Descriptor& descriptor) {
    return current->execute(handle, descriptor, *static_cast<Descriptor*>(pack));
  });
}

cudnnStatus_t set_callback(unsigned /*mask*/, void* /*data*/, cudnnCallback_t callback) {
  current->callback = callback;
  return CUDNN_STATUS_SUCCESS;
}

const char* error_string(cudnnStatus_t status) {
  static thread_local std::string text;
  text = cat("FAKE_STATUS_", static_cast<int>(status));
  return text.c_str();
}

void last_error_string(char* message, std::size_t most) {
  const std::string& text = current->fake->last_error;
  const std::size_t length = std::min(most - 1, text.size());
  std::memcpy(message, text.data(), length);
  message[length] = '\0';
}

}  // namespace

FakeCudnn::FakeCudnn() : state_(std::make_unique<State>()) {
  require(current == nullptr, "one fake at a time");
  state_->fake = this;
  current = state_.get();
}

FakeCudnn::~FakeCudnn() {
  current = nullptr;
}

std::shared_ptr<cuda::CudnnLibrary> FakeCudnn::library() const {
  auto library = std::make_shared<cuda::CudnnLibrary>(
      cuda::CudnnLibrary{.error_string = error_string,
                         .last_error_string = last_error_string,
                         .set_callback = set_callback,
                         .create = create_handle,
                         .destroy = destroy_handle,
                         .set_stream = set_stream,
                         .create_descriptor = create_descriptor,
                         .destroy_descriptor = destroy_descriptor,
                         .set_attribute = set_attribute,
                         .get_attribute = get_attribute,
                         .finalize = finalize,
                         .execute = execute,
                         .version = "9.0.0-fake",
                         .compiles_kernels = true});
  cuda::watch_refusals(*library);
  return library;
}

FakeRecord FakeCudnn::record() const {
  const std::scoped_lock lock(state_->mutex);
  FakeRecord record = state_->record;
  record.live_objects =
      static_cast<std::int64_t>(state_->descriptors.size() + state_->handles.size());
  return record;
}

}  // namespace fovea::test
