#include "apps/fovea/rows.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "apps/fovea/command.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

std::string text_block(const std::string& image, const Result& result) {
  std::string text = one_line(image) + '\n';
  if (result.failure) {
    const std::string code(to_string(result.failure->code));
    return text + wrap("  error " + code + ": " + one_line(result.failure->message), 4) + '\n';
  }
  for (const Prediction& prediction : result.predictions) {
    char percent[16];
    std::snprintf(
        percent, sizeof percent, "%7.2f %%", 100.0 * static_cast<double>(prediction.probability));
    text += std::string(percent) + "  " + one_line(prediction.label);
    if (!prediction.id.empty() && prediction.id != prediction.label) {
      text += "  (" + one_line(prediction.id) + ')';
    }
    text += '\n';
  }
  if (result.nonfinite) text += "  warning: the network answered with NaN or infinity\n";
  return text;
}

std::string json_line(const std::string& image, const Result& result) {
  std::string text = "{\"image\":" + json_string(image);
  if (result.failure) {
    text += ",\"error\":{\"code\":" + json_string(to_string(result.failure->code)) +
            ",\"message\":" + json_string(result.failure->message) + '}';
  } else {
    text += ",\"predictions\":[";
    for (std::size_t i = 0; i < result.predictions.size(); ++i) {
      const Prediction& prediction = result.predictions[i];
      text += std::string(i == 0 ? "" : ",") + "{\"index\":" + std::to_string(prediction.index) +
              ",\"id\":" + json_string(prediction.id) +
              ",\"label\":" + json_string(prediction.label) +
              ",\"probability\":" + json_float(prediction.probability) + '}';
    }
    text += ']';
    if (result.nonfinite) text += ",\"nonfinite\":true";
  }
  return text + "}\n";
}

/// Quoted where RFC 4180 asks for it.
std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

constexpr const char* kCsvHeader = "image,rank,index,id,label,probability,error\r\n";

/// One line per prediction; a picture without any has one line with its error.
std::string csv_lines(const std::string& image, const Result& result) {
  const std::string name = csv_field(image);
  if (result.failure) {
    return name + ",,,,,," + csv_field(std::string(to_string(result.failure->code))) + "\r\n";
  }
  std::string text;
  for (std::size_t i = 0; i < result.predictions.size(); ++i) {
    const Prediction& prediction = result.predictions[i];
    text += name + ',' + std::to_string(i + 1) + ',' + std::to_string(prediction.index) + ',' +
            csv_field(prediction.id) + ',' + csv_field(prediction.label) + ',' +
            json_float(prediction.probability) + ",\r\n";
  }
  return text;
}

RowFormat format_of(const std::string& path) {
  if (path.ends_with(".csv")) return RowFormat::kCsv;
  if (path.ends_with(".jsonl")) return RowFormat::kJson;
  throw InvalidArgument("--output ends in .csv or .jsonl, which '" + path + "' does not");
}

/// The name of the file that the rows are collected in. Refuses a target that is a folder or a
/// device, which a rename would not fill but replace.
std::string temporary_for(const std::string& path) {
  std::error_code error;
  const auto target = std::filesystem::status(path, error);
  if (std::filesystem::exists(target) && !std::filesystem::is_regular_file(target)) {
    throw Error(ErrorCode::kIoWrite, "cannot write '" + path + "': it is not a regular file");
  }
  return path + ".part" + std::to_string(getpid());
}

}  // namespace

RowWriter::RowWriter(RowFormat format) : format_(format), file_(stdout) {}

RowWriter::RowWriter(const std::string& path)
    : format_(format_of(path)),
      path_(path),
      temporary_(temporary_for(path)),
      file_(std::fopen(temporary_.c_str(), "wbx")) {
  if (file_ == nullptr) {
    throw Error(ErrorCode::kIoWrite, "cannot write '" + path + "': " + std::strerror(errno));
  }
  if (format_ == RowFormat::kCsv) put(kCsvHeader);
}

RowWriter::~RowWriter() {
  if (path_.empty() || file_ == nullptr) return;
  std::fclose(file_);  // NOLINT(cppcoreguidelines-owning-memory): opened by the constructor
  std::remove(temporary_.c_str());
}

void RowWriter::write(const std::string& image, const Result& result) {
  switch (format_) {
    case RowFormat::kText:
      put(text_block(image, result));
      break;
    case RowFormat::kJson:
      put(json_line(image, result));
      break;
    case RowFormat::kCsv:
      put(csv_lines(image, result));
      break;
  }
}

void RowWriter::put(const std::string& text) {
  // Rows on stdout are seen at once, so that whoever reads a pipe can work along.
  const bool written = std::fwrite(text.data(), 1, text.size(), file_) == text.size() &&
                       (!path_.empty() || std::fflush(file_) == 0);
  if (written) return;
  const std::string name = path_.empty() ? "stdout" : "'" + path_ + "'";
  throw Error(errno == ENOSPC ? ErrorCode::kIoNoSpace : ErrorCode::kIoWrite,
              "cannot write to " + name + ": " + std::strerror(errno));
}

void RowWriter::close() {
  if (path_.empty()) return;
  put("");
  const bool complete = std::fflush(file_) == 0 && fsync(fileno(file_)) == 0;
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): opened by the constructor
  const bool closed = std::fclose(file_) == 0;
  file_ = nullptr;
  if (complete && closed && std::rename(temporary_.c_str(), path_.c_str()) == 0) return;
  const int error = errno;
  std::remove(temporary_.c_str());
  throw Error(error == ENOSPC ? ErrorCode::kIoNoSpace : ErrorCode::kIoWrite,
              "cannot write '" + path_ + "': " + std::strerror(error));
}

}  // namespace fovea::app
