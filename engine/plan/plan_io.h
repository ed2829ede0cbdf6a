// The container of a plan file: named sections of bytes, each with its hash.
//
//   0  "\x89FVPLN\r\n"                           8 bytes, as PNG's: shows a file sent as text
//   8  format                                    u32
//  12  bytes of the header                       u32: 80 + 64 a section
//  16  xxh3-128 of the header without this hash  32 hexadecimal digits
//  48  bytes of the file                         u64
//  56  sections                                  u32
//  60  zeros                                     20 bytes
//  80  a row a section: name (16, zeros behind it), offset u64, bytes u64, xxh3-128 (32 digits)
//
// Numbers are little-endian. Sections lie in the order of their rows, each at the first multiple of
// 4096 behind the one before; the bytes between are zeros. So every bit of a file is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/file.h"
#include "engine/core/hash.h"

namespace fovea {

/// The format that is written. Files of this one and older ones are read.
inline constexpr std::uint32_t kPlanFormat = 1;

/// Every section starts at a multiple of this many bytes of the file, and so of a mapping.
inline constexpr std::size_t kSectionAlignment = 4096;

inline constexpr std::size_t kMaxPlanSections = 32;

struct PlanSection {
  std::string name;                  ///< 1 to 15 of a-z and _
  std::span<const std::byte> bytes;  ///< of the file
  std::string xxh3;                  ///< 32 hexadecimal digits
};

/// Whether the bytes begin as those of a plan file do.
[[nodiscard]] bool is_plan(std::span<const std::byte> bytes);

/// The format of a file that read_plan() took.
[[nodiscard]] std::uint32_t format_of_plan(std::span<const std::byte> file);

/// The sections of a whole file, in its order. Everything is checked before anything is believed:
/// the header's hash first, then its numbers, then the hash of every section and the zeros between.
/// Large sections are hashed by up to `threads` threads.
///
/// origin   the file's name, for messages
///
/// Throws Error: plan/corrupt, naming the section, for any difference to what PlanWriter wrote;
/// plan/version for a newer format.
[[nodiscard]] std::vector<PlanSection> read_plan(std::span<const std::byte> file,
                                                 std::string_view origin,
                                                 int threads = 1);

/// Writes a plan file, one section after the other, in the memory of its pieces; it appears when it
/// is complete (AtomicFile, whose errors every function throws). Not thread-safe.
class PlanWriter {
 public:
  explicit PlanWriter(const std::filesystem::path& target);

  /// Ends the section before and starts one. Throws InvalidArgument for a name that is no section's
  /// or is there already, and for more than kMaxPlanSections.
  void start(std::string_view name);

  /// Adds bytes to the section.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Zeros up to the next multiple of `alignment` bytes of the section.
  void align(std::size_t alignment);

  /// Bytes of the section so far.
  [[nodiscard]] std::uint64_t section_bytes() const;

  /// The file so far, and the bytes that this section has in it.
  struct Written {
    std::shared_ptr<const MappedFile> file;
    std::span<const std::byte> section;
  };

  [[nodiscard]] Written map() const;

  /// Makes the file appear; nothing may be written afterwards. Returns its size.
  std::uint64_t commit();

 private:
  struct Row {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::string xxh3;
  };

  void finish_section();
  void append(std::span<const std::byte> bytes);

  AtomicFile file_;
  std::uint64_t position_ = 0;
  std::vector<Row> rows_;
  std::unique_ptr<Xxh3> hash_;  ///< of the section that is being written
};

}  // namespace fovea
