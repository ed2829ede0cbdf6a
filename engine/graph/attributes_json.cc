#include "engine/graph/attributes_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Each in the order of its enum.
constexpr std::array<std::string_view, 5> kActivationKinds{
    "none", "relu", "clip", "tanh", "sigmoid"};
constexpr std::array<std::string_view, 2> kPoolKinds{"average", "max"};

template <typename T>
concept HasAttributes = requires(T& value) { T::attributes(value, [](const char*, auto&) {}); };

template <typename T>
struct IsArray : std::false_type {};

template <typename T, std::size_t Size>
struct IsArray<std::array<T, Size>> : std::true_type {};

/// Whether files lack the attribute where it has the value that it has by itself: 0, none, false.
template <typename T>
constexpr bool is_optional(std::string_view name) {
  if constexpr (requires { T::kOptionalAttributes; }) {
    return std::ranges::find(T::kOptionalAttributes, name) != T::kOptionalAttributes.end();
  } else {
    return false;
  }
}

// --- Words ---

template <std::size_t Count, typename Enum>
void parse_word(const std::array<std::string_view, Count>& words,
                std::string_view text,
                Enum& value) {
  const auto* found = std::find(words.begin(), words.end(), text);
  if (found == words.end())
    throw InvalidArgument(cat("'", printable(text), "' is not one of its words"));
  value = static_cast<Enum>(found - words.begin());
}

std::string_view word(ActivationKind value) {
  return kActivationKinds.at(static_cast<std::size_t>(value));
}

std::string_view word(PoolKind value) {
  return kPoolKinds.at(static_cast<std::size_t>(value));
}

template <typename Enum>
std::string_view word(Enum value) {
  return to_string(value);
}

void parse_enum(std::string_view text, ActivationKind& value) {
  parse_word(kActivationKinds, text, value);
}

void parse_enum(std::string_view text, PoolKind& value) {
  parse_word(kPoolKinds, text, value);
}

void parse_enum(std::string_view text, DType& value) {
  value = parse_dtype(text);
}

void parse_enum(std::string_view text, Interpolation& value) {
  value = parse_interpolation(text);
}

void parse_enum(std::string_view text, Fit& value) {
  value = parse_fit(text);
}

void parse_enum(std::string_view text, ColorMode& value) {
  value = parse_color_mode(text);
}

void parse_enum(std::string_view text, Normalization& value) {
  value = parse_normalization(text);
}

// --- Writing ---

template <typename T>
ordered_json write(const T& value);

template <HasAttributes T>
ordered_json write_struct(const T& value) {
  ordered_json object = ordered_json::object();
  T::attributes(value, [&](const char* name, const auto& attribute) {
    if (is_optional<T>(name) && attribute == std::decay_t<decltype(attribute)>{}) return;
    object[name] = write(attribute);
  });
  return object;
}

ordered_json write_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

template <typename T>
ordered_json write(const T& value) {
  if constexpr (HasAttributes<T>) {
    return write_struct(value);
  } else if constexpr (std::is_same_v<T, TensorDesc>) {
    return {{"dtype", to_string(value.dtype)}, {"shape", value.shape}};
  } else if constexpr (std::is_enum_v<T>) {
    return word(value);
  } else if constexpr (std::floating_point<T>) {
    return write_number(static_cast<double>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return value;
  } else {
    ordered_json list = ordered_json::array();
    for (const auto& element : value) list.push_back(write(element));
    return list;
  }
}

// --- Reading ---

/// Where a value stands, for messages: "attribute 'activation.kind'".
using Path = std::string;

[[noreturn]] void wrong_type(const Path& path, std::string_view expected) {
  throw Error(ErrorCode::kModelCorrupt, cat("attribute '", path, "' must be ", expected));
}

template <typename T>
void read(const json& from, const Path& path, T& value);

template <HasAttributes T>
void read_struct(const json& from, const Path& path, T& value) {
  if (!from.is_object()) wrong_type(path, "an object");
  const auto inner = [&](std::string_view name) {
    return path.empty() ? Path(name) : cat(path, '.', name);
  };
  std::vector<std::string_view> known;
  T::attributes(value, [&](const char* name, auto& attribute) {
    known.emplace_back(name);
    const auto found = from.find(name);
    if (found == from.end()) {
      if (is_optional<T>(name)) return;
      throw Error(ErrorCode::kModelCorrupt, cat("attribute '", inner(name), "' is missing"));
    }
    read(*found, inner(name), attribute);
  });
  for (const auto& [key, unused] : from.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw Error(ErrorCode::kModelCorrupt,
                  cat("attribute '", inner(printable(key)), "' is unknown"));
    }
  }
}

template <std::integral T>
void read_integer(const json& from, const Path& path, T& value) {
  const bool fits = from.is_number_unsigned()
                        ? std::in_range<T>(from.get<std::uint64_t>())
                        : from.is_number_integer() && std::in_range<T>(from.get<std::int64_t>());
  if (!fits) wrong_type(path, "an integer in range");
  value = from.get<T>();
}

template <std::floating_point T>
void read_number(const json& from, const Path& path, T& value) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  if (from.is_number()) {
    const auto wide = from.get<double>();
    if (std::abs(wide) > static_cast<double>(std::numeric_limits<T>::max())) {
      wrong_type(path, "a number in range");
    }
    value = static_cast<T>(wide);
  } else if (from == "inf") {
    value = kInfinity;
  } else if (from == "-inf") {
    value = -kInfinity;
  } else if (from == "nan") {
    value = std::numeric_limits<T>::quiet_NaN();
  } else {
    wrong_type(path, "a number");
  }
}

template <typename Enum>
void read_enum(const json& from, const Path& path, Enum& value) {
  if (!from.is_string()) wrong_type(path, "a word");
  try {
    parse_enum(from.get_ref<const std::string&>(), value);
  } catch (const InvalidArgument& error) {
    throw Error(ErrorCode::kModelCorrupt, cat("attribute '", path, "': ", error.what()));
  }
}

template <typename T, std::size_t Size>
void read_list(const json& from, const Path& path, std::array<T, Size>& value) {
  if (!from.is_array() || from.size() != Size) {
    wrong_type(path, cat("a list of ", Size, " values"));
  }
  for (std::size_t i = 0; i < Size; ++i) read(from[i], path, value[i]);
}

/// Every list of open length is a shape or has one value per dimension.
template <typename T>
void read_list(const json& from, const Path& path, std::vector<T>& value) {
  if (!from.is_array()) wrong_type(path, "a list");
  if (from.size() > kMaxRank) {
    throw Error(ErrorCode::kModelLimit,
                cat("attribute '",
                    path,
                    "' has ",
                    from.size(),
                    " dimensions, at most ",
                    kMaxRank,
                    " are supported"));
  }
  value.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) read(from[i], path, value[i]);
}

void read_desc(const json& from, const Path& path, TensorDesc& value) {
  if (!from.is_object() || from.size() != 2 || !from.contains("dtype") || !from.contains("shape")) {
    wrong_type(path, "an object of dtype and shape");
  }
  read(from["dtype"], cat(path, ".dtype"), value.dtype);
  read(from["shape"], cat(path, ".shape"), value.shape);
}

template <typename T>
void read(const json& from, const Path& path, T& value) {
  if constexpr (HasAttributes<T>) {
    read_struct(from, path, value);
  } else if constexpr (std::is_same_v<T, TensorDesc>) {
    read_desc(from, path, value);
  } else if constexpr (std::is_enum_v<T>) {
    read_enum(from, path, value);
  } else if constexpr (std::floating_point<T>) {
    read_number(from, path, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!from.is_boolean()) wrong_type(path, "true or false");
    value = from.get<bool>();
  } else if constexpr (std::integral<T>) {
    read_integer(from, path, value);
  } else {
    read_list(from, path, value);
  }
}

/// Reads into the alternative Index of Op if it has that name, else tries the next one.
template <std::size_t Index = 0>
Op parse_as(std::string_view name, const json& attributes) {
  if constexpr (Index == std::variant_size_v<Op>) {
    throw Unsupported(cat("there is no operator '", printable(name), "'"),
                      ErrorCode::kModelUnsupportedOp);
  } else {
    using OpT = std::variant_alternative_t<Index, Op>;
    if (name != OpT::kName) return parse_as<Index + 1>(name, attributes);
    OpT op;
    read_struct(attributes, {}, op);
    return op;
  }
}

}  // namespace

ordered_json attributes_json(const Op& op) {
  return std::visit([](const auto& o) { return write_struct(o); }, op);
}

Op parse_op(std::string_view name, const json& attributes) {
  return parse_as(name, attributes);
}

ordered_json preprocess_json(const PreprocessSpec& spec) {
  return write_struct(spec);
}

PreprocessSpec parse_preprocess(const json& value) {
  PreprocessSpec spec;
  read_struct(value, {}, spec);
  return spec;
}

}  // namespace fovea
