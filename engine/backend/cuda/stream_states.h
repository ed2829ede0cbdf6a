// What libraries keep for a stream, which does not know them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace fovea::cuda {

/// A library's state for one stream, such as its handle.
class StreamState {
 public:
  virtual ~StreamState() = default;
};

/// One state at most of every type. One thread at a time, like the stream.
class StreamStates {
 public:
  /// The state of type State, which `make()` makes as a std::unique_ptr<State> when it is asked for
  /// the first time; later calls allocate nothing.
  template <typename State, typename Make>
  State& get(Make&& make) {
    for (const auto& state : states_) {
      if (auto* known = dynamic_cast<State*>(state.get())) return *known;
    }
    std::unique_ptr<State> made = std::forward<Make>(make)();
    State& state = *made;
    states_.push_back(std::move(made));
    return state;
  }

 private:
  std::vector<std::unique_ptr<StreamState>> states_;
};

}  // namespace fovea::cuda
