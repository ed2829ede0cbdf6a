// Lists in messages and in files.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/core/require.h"

namespace fovea {

/// The entries as cat() writes them, with the separator between: "auto, cpu, reference".
///
/// name   what is written of an entry: the entry itself, or a member of it
template <typename List, typename Name = std::identity>
[[nodiscard]] std::string joined(const List& list, std::string_view separator, Name name = {}) {
  std::string text;
  for (const auto& entry : list) {
    text += cat(text.empty() ? "" : separator, std::invoke(name, entry));
  }
  return text;
}

}  // namespace fovea
