#include <algorithm>
#include <vector>

#include "engine/core/require.h"
#include "engine/plan/plan_format.h"
#include "engine/plan/plan_io.h"

namespace fovea {

namespace {

using plan_format::next_multiple;

constexpr std::array<std::byte, kSectionAlignment> kZeros{};

/// The header fits in front of the first section.
static_assert(sizeof(plan_format::Start) + kMaxPlanSections * sizeof(plan_format::Row) <=
              kSectionAlignment);

}  // namespace

PlanWriter::PlanWriter(const std::filesystem::path& target) : file_(target) {
  append(kZeros);  // the header's place
}

void PlanWriter::append(std::span<const std::byte> bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

void PlanWriter::finish_section() {
  if (rows_.empty()) return;
  Row& row = rows_.back();
  row.bytes = position_ - row.offset;
  row.xxh3 = hash_->digest();
}

void PlanWriter::start(std::string_view name) {
  require(plan_format::is_section_name(name), "a section's name is 1 to 15 letters");
  require(rows_.size() < kMaxPlanSections, "a plan file has too many sections");
  require(std::ranges::find(rows_, name, &Row::name) == rows_.end(),
          "two sections of a plan file have one name");
  finish_section();
  append(std::span(kZeros).first(next_multiple(position_, kSectionAlignment) - position_));
  rows_.push_back({.name = std::string(name), .offset = position_, .xxh3 = {}});
  hash_ = std::make_unique<Xxh3>();
}

void PlanWriter::write(std::span<const std::byte> bytes) {
  require(!rows_.empty(), "a plan file's bytes belong to a section");
  append(bytes);
  hash_->add(bytes);
}

void PlanWriter::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void PlanWriter::align(std::size_t alignment) {
  require(alignment <= kZeros.size(), "an alignment is at most a section's");
  write(std::span(kZeros).first(next_multiple(section_bytes(), alignment) - section_bytes()));
}

std::uint64_t PlanWriter::section_bytes() const {
  return position_ - rows_.back().offset;
}

PlanWriter::Written PlanWriter::map() const {
  std::shared_ptr<const MappedFile> file = file_.map();
  return {file, file->bytes().subspan(rows_.back().offset)};
}

std::uint64_t PlanWriter::commit() {
  finish_section();
  plan_format::Start start{};
  std::ranges::copy(plan_format::kMagic, start.magic.begin());
  start.format = kPlanFormat;
  start.header_bytes = static_cast<std::uint32_t>(sizeof(plan_format::Start) +
                                                  rows_.size() * sizeof(plan_format::Row));
  start.file_bytes = position_;
  start.sections = static_cast<std::uint32_t>(rows_.size());

  std::vector<std::byte> header(start.header_bytes);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    plan_format::Row row{};
    std::ranges::copy(rows_[i].name, row.name.begin());
    row.offset = rows_[i].offset;
    row.bytes = rows_[i].bytes;
    std::ranges::copy(rows_[i].xxh3, row.xxh3.begin());
    std::memcpy(header.data() + sizeof(start) + i * sizeof(row), &row, sizeof(row));
  }
  std::memcpy(header.data(), &start, sizeof(start));
  std::ranges::copy(plan_format::header_hash(header), start.xxh3.begin());
  std::memcpy(header.data(), &start, sizeof(start));
  file_.overwrite(0, header);
  file_.commit();
  return position_;
}

}  // namespace fovea
