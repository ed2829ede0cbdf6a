#include "engine/core/json_rows.h"

#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& what, ErrorCode code = ErrorCode::kModelCorrupt) {
  throw Error(code, what);
}

/// Takes a text's events and hands out a value whenever one is complete at the depth that is asked
/// for: 0 is the whole text, 1 a member of the top-level object, 2 an element of such a member.
class RowReader final : public json::json_sax_t {
 public:
  RowReader(const JsonRowHandler& on_value, const JsonRowHandler& on_row)
      : on_value_(on_value), on_row_(on_row) {}

  bool start_object(std::size_t /*size*/) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
      return true;
    }
    return open(json::object());
  }

  bool end_object() override {
    if (stack_.empty()) {
      place_ = Place::kEnd;
      return true;
    }
    return close();
  }

  bool start_array(std::size_t /*size*/) override {
    if (place_ == Place::kTop && stack_.empty()) {
      place_ = Place::kRows;
      return true;
    }
    return open(json::array());
  }

  bool end_array() override {
    if (stack_.empty()) {
      place_ = Place::kTop;
      return true;
    }
    return close();
  }

  bool key(string_t& key) override {
    if (stack_.empty()) {
      top_key_ = key;
      if (!top_keys_.insert(key).second) duplicate(key);
      if (top_keys_.size() > kMaxRowValues) too_large();
    } else {
      if (stack_.back().value.contains(key)) duplicate(key);
      stack_.back().key = key;
    }
    return true;
  }

  bool null() override { return add(nullptr); }

  bool boolean(bool value) override { return add(value); }

  bool number_integer(number_integer_t value) override { return add(value); }

  bool number_unsigned(number_unsigned_t value) override { return add(value); }

  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }

  bool string(string_t& value) override { return add(std::move(value)); }

  bool binary(binary_t& /*value*/) override { fail("JSON has no bytes"); }

  bool parse_error(std::size_t position,
                   const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    fail(cat("it is not JSON at byte ", position));
  }

 private:
  enum class Place : std::uint8_t { kStart, kTop, kRows, kEnd };

  /// An object or array that is not complete yet, and the key of its next value.
  struct Open {
    json value;
    std::string key;
  };

  [[noreturn]] static void duplicate(const std::string& key) {
    fail(cat("the key '", printable(key), "' occurs twice in one object"));
  }

  [[noreturn]] void too_large() const {
    fail(cat("a row of '",
             printable(top_key_),
             "' has more than ",
             kMaxRowValues,
             " values or is nested deeper than ",
             kMaxRowDepth),
         ErrorCode::kModelLimit);
  }

  bool open(json value) {
    if (place_ == Place::kStart) fail("it is not an object");
    if (stack_.size() == kMaxRowDepth || ++values_ > kMaxRowValues) too_large();
    stack_.push_back({std::move(value), {}});
    return true;
  }

  bool close() {
    json value = std::move(stack_.back().value);
    stack_.pop_back();
    place(std::move(value));
    return true;
  }

  bool add(json value) {
    if (place_ == Place::kStart) fail("it is not an object");
    if (++values_ > kMaxRowValues) too_large();
    place(std::move(value));
    return true;
  }

  void place(json value) {
    if (stack_.empty()) {
      values_ = 0;
      (place_ == Place::kRows ? on_row_ : on_value_)(top_key_, value);
    } else if (stack_.back().value.is_array()) {
      stack_.back().value.push_back(std::move(value));
    } else {
      stack_.back().value.emplace(std::move(stack_.back().key), std::move(value));
    }
  }

  const JsonRowHandler& on_value_;
  const JsonRowHandler& on_row_;
  Place place_ = Place::kStart;
  std::vector<Open> stack_;
  std::string top_key_;
  std::set<std::string> top_keys_;
  std::size_t values_ = 0;
};

}  // namespace

void read_json_rows(std::string_view text,
                    const JsonRowHandler& on_value,
                    const JsonRowHandler& on_row) {
  RowReader reader(on_value, on_row);
  json::sax_parse(text, &reader);
}

}  // namespace fovea
