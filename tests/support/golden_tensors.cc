#include "tests/support/golden_tensors.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace fovea::test {

namespace {

template <typename T>
std::vector<double> read_as(std::span<const char> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return {values.begin(), values.end()};
}

}  // namespace

std::map<std::string, GoldenTensor> read_goldens(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::vector<char> file((std::istreambuf_iterator<char>(stream)), {});
  std::uint64_t header_bytes = 0;
  if (file.size() < sizeof header_bytes) throw std::runtime_error("cannot read " + path.string());
  std::memcpy(&header_bytes, file.data(), sizeof header_bytes);
  const std::span<const char> rest = std::span(file).subspan(sizeof header_bytes);
  const auto header = rest.first(header_bytes);
  const auto data = rest.subspan(header_bytes);

  const auto entries = nlohmann::json::parse(header.begin(), header.end());

  std::map<std::string, GoldenTensor> tensors;
  for (const auto& [name, entry] : entries.items()) {
    if (name == "__metadata__") continue;
    const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
    const auto bytes = data.subspan(offsets.at(0), offsets.at(1) - offsets.at(0));
    const auto dtype = entry.at("dtype").get<std::string>();
    if (dtype != "F32" && dtype != "F64") continue;
    tensors[name] = {entry.at("shape").get<std::vector<std::int64_t>>(),
                     dtype == "F32" ? read_as<float>(bytes) : read_as<double>(bytes)};
  }
  return tensors;
}

}  // namespace fovea::test
