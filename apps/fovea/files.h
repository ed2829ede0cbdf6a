// What is checked of the files that a command reads and writes, before it does any work.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fovea::app {

/// Whether both names lead to one file, through links too, whether or not it is there. An empty
/// name is no file.
[[nodiscard]] bool is_same_file(const std::string& one, const std::string& other);

/// Throws argument/invalid where `output`, the value of that option, is one of the files that the
/// command reads, or one of the package that is read from such a folder: it would be replaced.
void refuse_overwriting(std::string_view option,
                        const std::string& output,
                        const std::vector<std::string>& inputs);

/// Throws argument/invalid for an --output that does not end in .safetensors.
void require_safetensors(const std::string& output);

}  // namespace fovea::app
