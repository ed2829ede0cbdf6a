// make_oracles FOLDER [NETWORK...]: writes FOLDER/<network>.f32, what gpu_selftest is held to: the
// logits of its pictures by the operators' own definitions. Minutes for the large networks.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

#include "tests/gpu/networks.h"

namespace fovea::selftest {
namespace {

void write_oracle(const std::filesystem::path& folder, const std::string& name) {
  const Graph network = make_network(name);
  const std::vector<TensorBytes> pictures{formula_pictures(network, kPictures)};
  const TensorBytes logits = evaluate_graph(with_batch(network, kPictures), pictures).at(0);
  std::ofstream file(folder / (name + ".f32"), std::ios::binary);
  file.write(reinterpret_cast<const char*>(logits.data()),
             static_cast<std::streamsize>(logits.size()));
  if (!file.flush()) throw std::runtime_error("cannot write the oracle of " + name);
  std::printf("%s\n", name.c_str());
}

int run(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: make_oracles FOLDER [NETWORK...]\n", stderr);
    return 2;
  }
  std::vector<std::string> names(argv + 2, argv + argc);
  if (names.empty()) names = network_names();
  for (const std::string& name : names) write_oracle(argv[1], name);
  return 0;
}

}  // namespace
}  // namespace fovea::selftest

int main(int argc, char** argv) {
  try {
    return fovea::selftest::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_oracles: %s\n", error.what());
    return 1;
  }
}
