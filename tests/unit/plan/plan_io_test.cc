// Plan files as bytes: whatever is not exactly what was written is refused.
#include "engine/plan/plan_io.h"

#include <algorithm>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "engine/plan/plan_format.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

using Bytes = std::vector<std::byte>;
using plan_format::Row;
using plan_format::Start;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class PlanIo : public ::testing::Test {
 protected:
  PlanIo() {
    PlanWriter writer(path());
    writer.start("manifest");
    writer.write("{}");
    writer.start("empty");
    writer.start("weights");
    writer.write(std::string(300, 'w'));
    writer.align(64);
    writer.write("x");
    writer.commit();
    file_ = read_file(path());
  }

  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "x.plan"; }

  /// Gives the header the hash that fits what it says now.
  static void sign(Bytes& file) {
    Start start{};
    std::memcpy(&start, file.data(), sizeof(start));
    const std::string hash = plan_format::header_hash(std::span(file).first(start.header_bytes));
    std::memcpy(file.data() + plan_format::kHashBegin, hash.data(), hash.size());
  }

  /// The file with a changed and correctly hashed header.
  template <typename Change>
  [[nodiscard]] Bytes with_start(const Change& change) const {
    Bytes file = file_;
    Start start{};
    std::memcpy(&start, file.data(), sizeof(start));
    change(start);
    std::memcpy(file.data(), &start, sizeof(start));
    if (start.header_bytes <= file.size() && start.header_bytes >= sizeof(Start)) sign(file);
    return file;
  }

  template <typename Change>
  [[nodiscard]] Bytes with_row(std::size_t index, const Change& change) const {
    Bytes file = file_;
    std::byte* at = file.data() + sizeof(Start) + index * sizeof(Row);
    Row row{};
    std::memcpy(&row, at, sizeof(row));
    change(row);
    std::memcpy(at, &row, sizeof(row));
    sign(file);
    return file;
  }

  static void expect_corrupt(const Bytes& file, const std::string& part) {
    test::expect_error(ErrorCode::kPlanCorrupt, part, [&] { (void)read_plan(file, "x.plan"); });
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
  Bytes file_;
};

TEST_F(PlanIo, GivesTheSectionsBack) {
  const auto sections = read_plan(file_, "x.plan");

  ASSERT_EQ(sections.size(), 3U);
  EXPECT_EQ(sections[0].name, "manifest");
  EXPECT_EQ(text_of(sections[0].bytes), "{}");
  EXPECT_EQ(sections[0].xxh3, xxh3_128(sections[0].bytes));
  EXPECT_EQ(sections[1].name, "empty");
  EXPECT_TRUE(sections[1].bytes.empty());
  EXPECT_EQ(text_of(sections[2].bytes), std::string(300, 'w') + std::string(20, '\0') + "x");
  for (const PlanSection& section : sections) {
    const auto offset = static_cast<std::size_t>(section.bytes.data() - file_.data());
    EXPECT_EQ(offset % kSectionAlignment, 0U) << section.name;
  }
}

TEST_F(PlanIo, RefusesEveryFlippedBitOfTheHeader) {
  const std::size_t header_bytes = sizeof(Start) + 3 * sizeof(Row);
  for (std::size_t i = 0; i < header_bytes * 8; ++i) {
    Bytes damaged = file_;
    damaged[i / 8] ^= std::byte{1} << (i % 8);
    ASSERT_EQ(test::error_of([&] { (void)read_plan(damaged, "x"); }).substr(0, 14),
              "plan/corrupt: ")
        << "bit " << i;
  }
}

TEST_F(PlanIo, RefusesFlippedBitsAnywhere) {
  std::mt19937 random(1);
  Bytes damaged = file_;
  for (int i = 0; i < 100'000; ++i) {
    const std::size_t bit = random() % (file_.size() * 8);
    const std::byte mask = std::byte{1} << (bit % 8);
    damaged[bit / 8] ^= mask;
    ASSERT_EQ(test::error_of([&] { (void)read_plan(damaged, "x"); }).substr(0, 14),
              "plan/corrupt: ")
        << "bit " << bit;
    damaged[bit / 8] ^= mask;
  }
  EXPECT_EQ(read_plan(damaged, "x").size(), 3U) << "the test changed nothing else";
}

TEST_F(PlanIo, RefusesEveryOtherLength) {
  for (std::size_t size = 0; size < file_.size(); ++size) {
    // A copy of that size, so that a sanitizer sees a read behind its end.
    const Bytes part(file_.begin(), file_.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_EQ(test::error_of([&] { (void)read_plan(part, "x"); }).substr(0, 14), "plan/corrupt: ")
        << size << " bytes";
  }
  for (const std::size_t more : {1U, 64U, 4096U}) {
    Bytes longer = file_;
    longer.resize(file_.size() + more);
    expect_corrupt(longer, "bytes of");
  }
}

TEST_F(PlanIo, NamesTheDamagedSection) {
  const auto sections = read_plan(file_, "x.plan");
  const auto damaged = [&](const std::byte* at) {
    Bytes file = file_;
    file[static_cast<std::size_t>(at - file_.data())] ^= std::byte{1};
    return file;
  };

  expect_corrupt(damaged(sections[0].bytes.data()), "section 'manifest'");
  expect_corrupt(damaged(&sections[2].bytes.back()), "section 'weights'");
  expect_corrupt(damaged(sections[0].bytes.data() + 2),
                 "between section 'manifest' and section 'empty'");
  expect_corrupt(damaged(sections[0].bytes.data() - 1), "between the header and");
  expect_corrupt(damaged(file_.data() + 100), "header's checksum");
}

TEST_F(PlanIo, RefusesANewerFormatOnly) {
  const Bytes newer = with_start([](Start& start) { start.format = kPlanFormat + 1; });

  test::expect_error(ErrorCode::kPlanVersion, "format 2", [&] { (void)read_plan(newer, "x"); });
  expect_corrupt(with_start([](Start& start) { start.format = 0; }), "header");
}

TEST_F(PlanIo, RefusesAbsurdNumbersUnderAHashThatFits) {
  constexpr std::uint32_t kHuge = 0xFFFFFFFF;
  constexpr std::uint64_t kVast = 0xFFFFFFFFFFFFFFFF;
  expect_corrupt(with_start([](Start& start) { start.header_bytes = kHuge; }), "header");
  expect_corrupt(with_start([](Start& start) { start.header_bytes = 0; }), "header");
  expect_corrupt(with_start([](Start& start) { start.sections = kHuge; }), "header");
  expect_corrupt(with_start([](Start& start) { start.sections = 2; }), "header");
  expect_corrupt(with_start([](Start& start) { start.zeros[19] = 1; }), "header");
  expect_corrupt(with_start([](Start& start) { start.file_bytes = kVast; }), "bytes of");
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string what = "is not where it should be";
    expect_corrupt(with_row(i, [](Row& row) { row.offset = kVast; }), what);
    expect_corrupt(with_row(i, [](Row& row) { row.offset = 0; }), what);
    expect_corrupt(with_row(i, [](Row& row) { row.offset += 64; }), what);
    expect_corrupt(with_row(i, [](Row& row) { row.offset = kSectionAlignment * 9; }), what);
    expect_corrupt(with_row(i, [](Row& row) { row.bytes = kVast; }), "section");
    expect_corrupt(with_row(i, [](Row& row) { row.bytes = kVast - row.offset + 1; }), "section");
    expect_corrupt(with_row(i, [](Row& row) { row.bytes += 1; }), "");
    expect_corrupt(with_row(i, [](Row& row) { row.name = {'A'}; }), "name");
    expect_corrupt(with_row(i, [](Row& row) { row.name[15] = 'a'; }), "name");
  }
  expect_corrupt(with_row(1, [](Row& row) { row.name = {'w', 'e', 'i', 'g', 'h', 't', 's'}; }),
                 "name");
}

TEST_F(PlanIo, ShowsWhatIsWrittenSoFar) {
  PlanWriter writer(folder_.path() / "y.plan");
  writer.start("a");
  writer.write("first");
  const PlanWriter::Written written = writer.map();
  writer.write(" second");
  writer.start("b");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "y.plan"));
  const std::uint64_t bytes = writer.commit();

  EXPECT_EQ(text_of(written.section), "first");
  EXPECT_EQ(std::filesystem::file_size(folder_.path() / "y.plan"), bytes);
  EXPECT_EQ(text_of(read_plan(read_file(folder_.path() / "y.plan"), "y")[0].bytes), "first second");
}

TEST_F(PlanIo, LeavesNothingBehindUnlessItIsCommitted) {
  {
    PlanWriter writer(folder_.path() / "z.plan");
    writer.start("a");
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(PlanIo, WritesNoSectionThatItWouldNotRead) {
  PlanWriter writer(folder_.path() / "z.plan");
  writer.start("a");

  EXPECT_THROW(writer.start("a"), InvalidArgument);
  EXPECT_THROW(writer.start(""), InvalidArgument);
  EXPECT_THROW(writer.start("Weights"), InvalidArgument);
  EXPECT_THROW(writer.start("sixteen_letters_"), InvalidArgument);
}

}  // namespace
}  // namespace fovea
