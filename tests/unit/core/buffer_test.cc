#include "engine/core/buffer.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "engine/core/file.h"

namespace fovea {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST(Buffer, HeldBytesOutliveTheBufferWhileTheyArePinned) {
  auto buffer = Buffer::from(bytes_of("weights"));

  const PinnedBytes pinned = buffer->read();
  buffer.reset();

  EXPECT_TRUE(std::ranges::equal(pinned, bytes_of("weights")));
}

TEST(Buffer, ComputesItsBytesAtEveryRead) {
  int computed = 0;
  const auto buffer = Buffer::computed(3, "threes", [&](std::span<std::byte> out) {
    std::ranges::fill(out, std::byte{3});
    ++computed;
  });
  EXPECT_EQ(computed, 0) << "nothing is held before somebody reads";

  const PinnedBytes first = buffer->read();
  const PinnedBytes second = buffer->read();

  EXPECT_EQ(buffer->size(), 3U);
  EXPECT_EQ(computed, 2);
  EXPECT_NE(first.data(), second.data());
  EXPECT_TRUE(std::ranges::equal(first, std::vector<std::byte>(3, std::byte{3})));
  EXPECT_TRUE(std::ranges::equal(first, second));
}

TEST(Buffer, BytesOfItsOwnAreKnownByTheirContent) {
  const auto bytes = bytes_of("abc");

  EXPECT_EQ(Buffer::from(bytes)->identity(), Buffer::from(bytes)->identity());
  EXPECT_NE(Buffer::from(bytes)->identity(), Buffer::from(bytes_of("abd"))->identity());
  EXPECT_NE(Buffer::view(bytes, nullptr)->identity(), Buffer::view(bytes, nullptr)->identity());
}

TEST(Buffer, TakesTheIdentityThatItIsTold) {
  const auto bytes = bytes_of("abc");
  const auto view = Buffer::view(bytes, nullptr);

  const auto known = view->identified("the letters");

  EXPECT_EQ(known->identity(), "the letters");
  EXPECT_EQ(known->read().data(), view->read().data());
  EXPECT_NE(view->identity(), "the letters");
}

TEST(Buffer, HasTheIdentityOfItsRecipeOrOfNobodyElse) {
  const auto nothing = [](std::span<std::byte>) {};

  EXPECT_EQ(Buffer::computed(1, "a", nothing)->identity(),
            Buffer::computed(1, "a", nothing)->identity());
  EXPECT_NE(Buffer::computed(1, "a", nothing)->identity(),
            Buffer::computed(1, "b", nothing)->identity());
  EXPECT_NE(Buffer::from(bytes_of("x"))->identity(), Buffer::from(bytes_of("y"))->identity());
}

/// Resident pages of this process that belong to files, in bytes.
std::size_t resident_file_bytes() {
  const std::string text = read_text_file("/proc/self/status");
  const std::string key = "RssFile:";
  return std::stoul(text.substr(text.find(key) + key.size())) * 1024;
}

TEST(Buffer, ForgetsPagesOfAMappedFileAndReadsThemAgain) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const auto path = folder.path() / "weights";
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  write_file_atomic(path, std::string(kBytes, 'w'));
  const auto file = MappedFile::open(path);
  const auto buffer = Buffer::mapped(file->bytes(), file);
  const auto is_w = [](std::byte b) { return b == std::byte{'w'}; };
  EXPECT_TRUE(std::ranges::all_of(buffer->read(), is_w));
  const std::size_t before = resident_file_bytes();

  buffer->forget(0, kBytes);

  EXPECT_LT(resident_file_bytes() + kBytes / 2, before);
  EXPECT_TRUE(std::ranges::all_of(buffer->read(), is_w));
}

TEST(Buffer, NeverForgetsWhatNoFileHolds) {
  const auto buffer = Buffer::from(std::vector<std::byte>(std::size_t{1} << 20, std::byte{7}));

  buffer->forget(0, buffer->size());

  EXPECT_TRUE(std::ranges::all_of(buffer->read(), [](std::byte b) { return b == std::byte{7}; }));
}

}  // namespace
}  // namespace fovea
