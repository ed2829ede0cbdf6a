// Two hundred paths of every kind, good and bad, in one command.
#include <array>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <zlib.h>

#include "tests/cli/cli_test.h"

namespace fovea {
namespace {

using test::rows_of;
using test::run_program;

namespace fs = std::filesystem;

using Pointer = nlohmann::json::json_pointer;

/// 70 MiB are seen, most of them OpenCV's libraries. One decoded picture of 8,000 x 7,000 pixels,
/// and the copy that is made of it, would be 107 MiB more.
constexpr std::int64_t kMostBytes = std::int64_t{FOVEA_MOST_MEBIBYTES} << 20;

/// A path and what its row says: the error's code, or nothing for predictions.
struct Picture {
  std::string path;
  std::string code;
};

/// A PNG file of a black gray picture.
std::string black_png(std::uint32_t width, std::uint32_t height) {
  const auto big_endian = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
    return bytes;
  };
  const auto chunk = [&](const std::string& type, const std::string& content) {
    const std::string checked = type + content;
    const auto sum =
        crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
    return big_endian(static_cast<std::uint32_t>(content.size())) + checked +
           big_endian(static_cast<std::uint32_t>(sum));
  };
  const std::string pixels(height * (std::size_t{width} + 1), '\0');  // a filter byte a row
  uLongf bytes = compressBound(pixels.size());
  std::string compressed(bytes, '\0');
  EXPECT_EQ(compress2(reinterpret_cast<Bytef*>(compressed.data()),
                      &bytes,
                      reinterpret_cast<const Bytef*>(pixels.data()),
                      pixels.size(),
                      Z_BEST_SPEED),
            Z_OK);
  compressed.resize(bytes);
  const std::string size = big_endian(width) + big_endian(height);
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", size + std::string("\x08\0\0\0\0", 5)) +
         chunk("IDAT", compressed) + chunk("IEND", "");
}

class CliMixedFiles : public test::CliTest {
 protected:
  const std::string large_ = black_png(8'000, 7'000);

  [[nodiscard]] std::string write(const std::string& name, std::string_view content) const {
    write_file_atomic(path(name), content);
    return path(name);
  }

  /// The first bytes of a test picture.
  [[nodiscard]] std::string cut(const std::string& name, const char* picture, double part) const {
    const std::string bytes = read_text_file(test::kPictures / picture);
    return write(
        name, bytes.substr(0, static_cast<std::size_t>(part * static_cast<double>(bytes.size()))));
  }

  [[nodiscard]] std::string fifo(const std::string& name) const {
    EXPECT_EQ(::mkfifo(path(name).c_str(), 0600), 0);
    return path(name);
  }

  [[nodiscard]] std::string folder(const std::string& name) const {
    fs::create_directory(path(name));
    return path(name);
  }

  [[nodiscard]] std::string link(const std::string& target, const std::string& name) const {
    fs::create_symlink(target, path(name));
    return path(name);
  }

  /// The i-th path: every kind in turn, each time another file of that kind.
  [[nodiscard]] Picture picture(int i) const {
    const std::string n = std::to_string(i);
    const auto pick = [i](const auto& names) {
      return names.at(static_cast<std::size_t>(i) / 25 % names.size());
    };
    constexpr std::array kJpegs{"rgb.jpg", "yuv420.jpg", "yuv444_progressive.jpg", "gray.jpg"};
    constexpr std::array kPngs{"rgb8.png", "palette8.png", "gray8.png", "rgba8.png"};
    switch (i % 25) {
      case 0:
        return {copy(test::kPictures / pick(kJpegs), n + ".jpg"), ""};
      case 1:
        return {copy(test::kPictures / pick(kPngs), n + ".png"), ""};
      case 2:
        return {test::digit(i % 10), ""};
      case 3:
        return {copy(test::kPictures / "first_frame.gif", n + ".gif"), "image/unsupported-format"};
      case 4:
        return {cut(n + ".jpg", pick(kJpegs), 0.6), "image/truncated"};
      case 5:
        return {cut(n + ".png", pick(kPngs), 0.6), "image/truncated"};
      case 6:
        return {write(n + ".jpg", ""), "image/unsupported-format"};
      case 7:
        return {write(n + ".jpg", "This is no picture.\n"), "image/unsupported-format"};
      case 8:
        return {path(n + " is missing.jpg"), "image/not-found"};
      case 9:
        return {write(n + ".png", black_png(20'000, 1)), "image/too-large"};
      case 10:
        return {write(n + ".png", large_), "image/too-large"};
      case 11:
        return {folder(n), "image/unreadable"};
      case 12:
        return {folder(n + ".jpg"), "image/unreadable"};
      case 13:
        return {fifo(n + ".jpg"), "image/unreadable"};
      case 14:
        return {i % 2 == 0 ? "/dev/zero" : "/dev/null", "image/unreadable"};
      case 15:
        return {copy(test::kPictures / "cmyk.jpg", n + ".jpg"), ""};
      case 16:
        return {copy(test::kPictures / "ycck.jpg", n + ".jpg"), ""};
      case 17:
        return {copy(test::kPictures / "gray16.png", n + ".png"), "image/unsupported-format"};
      case 18:
        return {copy(test::kPictures / "rgb16.png", n + ".png"), ""};
      case 19:
        return {link(path("nowhere"), n + ".jpg"), "image/not-found"};
      case 20:
        return {link(test::digit(i % 10), n + " link.png"), ""};
      case 21:
        return {copy(test::kPictures / "lossy.webp", n + " wrong name.jpg"), ""};
      case 22:
        return {write(n + ".png", std::string("\x89PNG\r\n\x1A\n") + std::string(500, 'x')),
                "image/corrupt"};
      case 23:
        return {path(std::string(5'000, 'n')), "image/unreadable"};
      default:
        return {copy(test::kPictures / "rgb8_strips.tif", n + "\n.tif"), ""};
    }
  }
};

TEST_F(CliMixedFiles, GiveOneRowEachInOrder) {
  std::vector<Picture> pictures;
  for (int i = 0; i < 200; ++i) pictures.push_back(picture(i));
  std::vector<std::string> paths;
  for (const Picture& p : pictures) paths.push_back(p.path);
  const auto classify = [](std::vector<std::string> words, const std::string& threads) {
    words.insert(words.begin(), {"classify", "lenet5", "--json", "--threads", threads, "--"});
    return run_program(words);
  };

  for (const char* threads : {"1", "2"}) {
    const auto got = classify(paths, threads);

    EXPECT_EQ(got.code, 1);
    EXPECT_EQ(got.err, "");
    const auto rows = rows_of(got.out);
    ASSERT_EQ(rows.size(), pictures.size());
    std::size_t good = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& [name, code] = pictures[i];
      SCOPED_TRACE(std::to_string(i) + " " + rows[i].dump());
      EXPECT_EQ(rows[i]["image"], name);
      EXPECT_EQ(rows[i].size(), 2U);
      if (!code.empty()) {
        EXPECT_EQ(rows[i].value(Pointer("/error/code"), ""), code);
        EXPECT_FALSE(rows[i].value(Pointer("/error/message"), "").empty());
        continue;
      }
      ++good;
      ASSERT_TRUE(rows[i].contains("predictions"));
      EXPECT_EQ(rows[i]["predictions"].size(), 5U);
      // Alone it gets the same numbers. Every fifth one, to keep the test short.
      if (good % 5 != 0) continue;
      EXPECT_EQ(rows_of(classify({name}, threads).out).at(0), rows[i]);
    }
    EXPECT_EQ(good, 72U);
    EXPECT_LT(got.peak_bytes, kMostBytes);
  }
}

}  // namespace
}  // namespace fovea
