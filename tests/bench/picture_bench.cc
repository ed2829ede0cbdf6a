// Decodes and resizes pictures on command, on one thread, so that a script can take turns between
// it and a peer.
//
//   picture_bench HEIGHT WIDTH INTERPOLATION FILE...
//
// The files are read into memory first. One command a line on stdin, one line of answer on stdout:
//
//   decode ROUNDS   every file, ROUNDS times; seconds
//   resize ROUNDS   every file, decoded and resized; seconds
//   pixels FILE     writes the resized pixels of all files, one behind the other; "ok"
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <fovea/error.h>
#include <fovea/image.h>

#include "engine/core/file.h"

namespace {

class Bench {
 public:
  Bench(const fovea::PreprocessSpec& spec, const std::vector<std::string>& files) : spec_(spec) {
    for (const std::string& file : files) files_.push_back(fovea::read_file(file));
  }

  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "pixels") {
      std::string path;
      words >> path;
      std::ofstream out(path, std::ios::binary);
      for (const auto& file : files_) {
        const fovea::Image image = resized(file);
        out.write(reinterpret_cast<const char*>(image.data()),
                  static_cast<std::streamsize>(image.bytes()));
      }
      if (!out.flush()) throw fovea::Error(fovea::ErrorCode::kIoWrite, "cannot write " + path);
      return "ok";
    }
    if (verb != "decode" && verb != "resize") {
      throw fovea::InvalidArgument("no command is called " + verb);
    }
    int rounds = 0;
    words >> rounds;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
      for (const auto& file : files_) {
        (void)(verb == "decode" ? fovea::decode(file) : resized(file));
      }
    }
    return std::to_string(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

 private:
  [[nodiscard]] fovea::Image resized(const std::vector<std::byte>& file) const {
    return fovea::resize(fovea::decode(file).view(), spec_);
  }

  fovea::PreprocessSpec spec_;
  std::vector<std::vector<std::byte>> files_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 5) {
      throw fovea::InvalidArgument("picture_bench HEIGHT WIDTH INTERPOLATION FILE...");
    }
    fovea::PreprocessSpec spec;
    spec.height = std::stoi(argv[1]);
    spec.width = std::stoi(argv[2]);
    spec.interpolation = fovea::parse_interpolation(argv[3]);
    Bench bench(spec, std::vector<std::string>(argv + 4, argv + argc));
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << bench.answer(line) << '\n' << std::flush;
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "picture_bench: %s\n", error.what());
    return 1;
  }
}
