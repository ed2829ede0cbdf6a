#include "engine/import_worker/keras/h5_names.h"

#include <cstring>
#include <utility>

#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/import_worker/keras/h5_error.h"

namespace fovea::keras {

namespace {

/// No list of a file is longer than this, in bytes of fixed length texts.
constexpr std::size_t kMaxListBytes = 16 << 20;

/// An attribute that is to be a list of texts.
class NameList {
 public:
  NameList(const H5Object& object, const std::string& attribute)
      : what_(cat("the attribute '", attribute, "' of '", object.path(), "'")),
        attribute_(H5Aopen(object.get(), attribute.c_str(), H5P_DEFAULT), H5Aclose) {
    if (!attribute_.valid()) fail_corrupt(cat(what_, " cannot be read"));
    type_ = H5Handle(H5Aget_type(attribute_.get()), H5Tclose);
    if (!type_.valid()) fail_corrupt(cat("the type of ", what_, " cannot be read"));
    space_ = H5Handle(H5Aget_space(attribute_.get()), H5Sclose);
    if (!space_.valid()) fail_corrupt(cat("the size of ", what_, " cannot be read"));
  }

  void append_to(std::vector<std::string>& names) const {
    const std::size_t count = size();
    if (count == 0) return;
    if (names.size() + count > kMaxStoredTensors) {
      throw Error(ErrorCode::kModelLimit,
                  cat(what_, " has more than the ", kMaxStoredTensors, " names that are read"));
    }
    if (H5Tget_class(type_.get()) != H5T_STRING) fail("is no list of texts");
    const htri_t variable = H5Tis_variable_str(type_.get());
    if (variable < 0) fail_corrupt(cat(what_, " cannot be read"));
    const std::size_t before = names.size();
    variable > 0 ? append_variable(count, names) : append_fixed(count, names);
    for (std::size_t i = before; i < names.size(); ++i) {
      if (names[i].empty() || !is_plain_name(names[i])) {
        fail(cat("holds '", printable(names[i]), "', which is no name"));
      }
    }
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorCode::kModelCorrupt, cat(what_, ' ', why));
  }

  [[nodiscard]] std::size_t size() const {
    const hssize_t count = H5Sget_simple_extent_npoints(space_.get());
    if (count < 0) fail_corrupt(cat(what_, " cannot be read"));
    if (count > 0 && H5Sget_simple_extent_ndims(space_.get()) != 1) fail("is no list");
    return static_cast<std::size_t>(count);
  }

  void append_fixed(std::size_t count, std::vector<std::string>& names) const {
    const std::size_t size = H5Tget_size(type_.get());
    if (size == 0) fail_corrupt(cat(what_, " cannot be read"));
    if (size > kMaxListBytes / count) {
      throw Error(ErrorCode::kModelLimit,
                  cat(what_, " has more than the ", kMaxListBytes, " bytes that are read"));
    }
    std::vector<char> bytes(size * count);
    if (H5Aread(attribute_.get(), type_.get(), bytes.data()) < 0) {
      fail_corrupt(cat(what_, " cannot be read"));
    }
    const bool padded = H5Tget_strpad(type_.get()) == H5T_STR_SPACEPAD;
    for (std::size_t i = 0; i < count; ++i) {
      const char* text = bytes.data() + i * size;
      std::string name(text, ::strnlen(text, size));
      if (padded) name.erase(name.find_last_not_of(' ') + 1);
      names.push_back(std::move(name));
    }
  }

  void append_variable(std::size_t count, std::vector<std::string>& names) const {
    std::vector<char*> texts(count);
    if (H5Aread(attribute_.get(), type_.get(), static_cast<void*>(texts.data())) < 0) {
      fail_corrupt(cat(what_, " cannot be read"));
    }
    for (const char* text : texts) names.emplace_back(text == nullptr ? "" : text);
    H5Dvlen_reclaim(type_.get(), space_.get(), H5P_DEFAULT, static_cast<void*>(texts.data()));
  }

  std::string what_;
  H5Handle attribute_;
  H5Handle type_;
  H5Handle space_;
};

}  // namespace

bool has_names(const H5Object& object, const std::string& attribute) {
  return object.has_attribute(attribute) || object.has_attribute(cat(attribute, 0));
}

std::vector<std::string> read_names(const H5Object& object, const std::string& attribute) {
  std::vector<std::string> names;
  if (object.has_attribute(attribute)) {
    NameList(object, attribute).append_to(names);
    return names;
  }
  int part = 0;
  for (; object.has_attribute(cat(attribute, part)); ++part) {
    NameList(object, cat(attribute, part)).append_to(names);
  }
  if (part == 0) {
    throw Error(ErrorCode::kModelCorrupt,
                cat("'", object.path(), "' has no attribute '", attribute, "'"));
  }
  return names;
}

}  // namespace fovea::keras
