// How results are written: for people, as JSON lines, as CSV.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include <fovea/result.h>

namespace fovea::app {

enum class RowFormat : std::uint8_t { kText, kJson, kCsv };

/// Writes one row (for people: one block) per picture, in the order of the calls. Not thread-safe.
class RowWriter {
 public:
  /// To standard output.
  explicit RowWriter(RowFormat format);

  /// To a new file; its extension is the format: .csv or .jsonl. The file appears under its name
  /// when close() succeeds. Throws argument/invalid for another extension, io/write.
  explicit RowWriter(const std::string& path);

  ~RowWriter();
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  /// Throws io/write, io/no-space.
  void write(const std::string& image, const Result& result);

  /// Flushes; a file is complete afterwards. Throws io/write, io/no-space.
  void close();

 private:
  void put(const std::string& text);

  RowFormat format_;
  std::string path_;
  std::string temporary_;
  std::FILE* file_;
};

}  // namespace fovea::app
