#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "engine/core/require.h"
#include "engine/plan/plan_format.h"
#include "engine/plan/plan_io.h"

namespace fovea {

namespace {

using plan_format::next_multiple;
using plan_format::Row;
using plan_format::Start;

/// Fewer bytes are hashed faster than a thread starts.
constexpr std::size_t kThreadBytes = std::size_t{4} << 20;

template <std::size_t Size>
std::string_view text_of(const std::array<char, Size>& bytes) {
  return {bytes.data(), bytes.size()};
}

bool all_zeros(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

class Reader {
 public:
  Reader(std::span<const std::byte> file, std::string_view origin) : file_(file), origin_(origin) {}

  [[nodiscard]] std::vector<PlanSection> read(int threads) const {
    const Start start = read_start();
    std::vector<PlanSection> sections = read_table(start);
    check_zeros(sections, start.header_bytes);
    check_hashes(sections, threads);
    return sections;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kPlanCorrupt,
                cat(origin_, " is damaged: ", what, "; make it again with fovea compile"));
  }

  template <typename T>
  [[nodiscard]] T read_at(std::size_t offset) const {
    T value;
    std::memcpy(&value, file_.data() + offset, sizeof(value));
    return value;
  }

  [[nodiscard]] Start read_start() const {
    if (!is_plan(file_)) {
      throw Error(ErrorCode::kPlanCorrupt,
                  cat(origin_,
                      file_.empty() ? " is empty" : " does not begin as a plan file does",
                      "; make it again with fovea compile"));
    }
    if (file_.size() < sizeof(Start)) fail("it ends within its header");
    const auto start = read_at<Start>(0);
    if (start.header_bytes < sizeof(Start) || start.header_bytes > file_.size()) {
      fail(cat("its header is to have ", start.header_bytes, " of ", file_.size(), " bytes"));
    }
    if (plan_format::header_hash(file_.first(start.header_bytes)) != text_of(start.xxh3)) {
      fail("the header's checksum does not fit");
    }
    if (start.format > kPlanFormat) {
      throw Error(ErrorCode::kPlanVersion,
                  cat(origin_,
                      " has plan format ",
                      start.format,
                      ", this version reads formats up to ",
                      kPlanFormat,
                      "; install a newer version, or compile the model again with this one"));
    }
    if (start.format == 0 || start.sections > kMaxPlanSections ||
        start.header_bytes != sizeof(Start) + start.sections * sizeof(Row) ||
        !all_zeros(std::as_bytes(std::span(start.zeros)))) {
      fail("the header is none that was ever written");
    }
    if (start.file_bytes != file_.size()) {
      fail(cat("it has ", file_.size(), " bytes of ", start.file_bytes));
    }
    return start;
  }

  /// The rows must say what the writer would: then nothing overlaps or lies outside the file.
  [[nodiscard]] std::vector<PlanSection> read_table(const Start& start) const {
    std::vector<PlanSection> sections;
    std::uint64_t end = std::min<std::uint64_t>(kSectionAlignment, file_.size());
    for (std::size_t i = 0; i < start.sections; ++i) {
      const auto row = read_at<Row>(sizeof(Start) + i * sizeof(Row));
      const std::string name(text_of(row.name).substr(0, text_of(row.name).find('\0')));
      const bool is_new = std::ranges::find(sections, name, &PlanSection::name) == sections.end();
      const auto rest = std::as_bytes(std::span(row.name)).subspan(name.size());
      if (!plan_format::is_section_name(name) || !is_new || !all_zeros(rest)) {
        fail(cat("the name of section ", i + 1, " is none that was ever written"));
      }
      const std::uint64_t offset = next_multiple(end, kSectionAlignment);
      if (row.offset != offset || offset > file_.size() || row.bytes > file_.size() - offset) {
        fail(cat("section '", name, "' is not where it should be"));
      }
      sections.push_back({name, file_.subspan(offset, row.bytes), std::string(text_of(row.xxh3))});
      end = offset + row.bytes;
    }
    if (end != file_.size()) fail(cat("its sections end at byte ", end, " of ", file_.size()));
    return sections;
  }

  void check_zeros(const std::vector<PlanSection>& sections, std::size_t header_bytes) const {
    const std::byte* begin = file_.data() + header_bytes;
    std::string before = "the header";
    for (const PlanSection& section : sections) {
      if (!all_zeros({begin, section.bytes.data()})) {
        fail(cat("there are bytes between ", before, " and section '", section.name, "'"));
      }
      begin = section.bytes.data() + section.bytes.size();
      before = cat("section '", section.name, "'");
    }
  }

  void check_hashes(const std::vector<PlanSection>& sections, int threads) const {
    std::vector<char> fits(sections.size(), 0);
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < sections.size(); i = next++) {
        fits[i] = xxh3_128(sections[i].bytes) == sections[i].xxh3 ? 1 : 0;
      }
    };
    const auto large = std::ranges::count_if(
        sections, [](const PlanSection& section) { return section.bytes.size() >= kThreadBytes; });
    {
      std::vector<std::jthread> others;
      for (int i = 1; i < std::min<int>(threads, static_cast<int>(large)); ++i) {
        others.emplace_back(work);
      }
      work();
    }
    const auto damaged = std::ranges::find(fits, 0);
    if (damaged == fits.end()) return;
    const auto index = static_cast<std::size_t>(damaged - fits.begin());
    fail(cat("the checksum of section '", sections[index].name, "' does not fit"));
  }

  std::span<const std::byte> file_;
  std::string_view origin_;
};

}  // namespace

bool is_plan(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with(plan_format::kMagic);
}

std::uint32_t format_of_plan(std::span<const std::byte> file) {
  Start start;
  require(file.size() >= sizeof(start), "a plan file has a header");
  std::memcpy(&start, file.data(), sizeof(start));
  return start.format;
}

std::vector<PlanSection> read_plan(std::span<const std::byte> file,
                                   std::string_view origin,
                                   int threads) {
  return Reader(file, origin).read(threads);
}

}  // namespace fovea
