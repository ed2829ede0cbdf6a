#include "engine/import_worker/keras/h5_object.h"

#include <algorithm>
#include <utility>

#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/import_worker/keras/h5_error.h"

namespace fovea::keras {

namespace {

struct Names {
  std::vector<std::string> names;
  std::size_t limit = 0;
};

herr_t take_name(hid_t /*group*/, const char* name, const H5L_info_t* /*info*/, void* data) {
  auto& names = *static_cast<Names*>(data);
  names.names.emplace_back(name);
  return names.names.size() < names.limit ? 0 : 1;
}

}  // namespace

H5Object::H5Object(const H5Handle& file)
    : id_(H5Gopen2(file.get(), "/", H5P_DEFAULT), H5Oclose), path_("/") {
  if (!id_.valid()) fail_corrupt("the root group cannot be read");
}

bool H5Object::is_group() const {
  return H5Iget_type(get()) == H5I_GROUP;
}

bool H5Object::has_attribute(const std::string& name) const {
  const htri_t there = H5Aexists(get(), name.c_str());
  if (there < 0) fail_corrupt(cat("the attributes of '", path_, "' cannot be read"));
  return there > 0;
}

bool H5Object::has_member(const std::string& name) const {
  const htri_t there = is_group() ? H5Lexists(get(), name.c_str(), H5P_DEFAULT) : 0;
  if (there < 0) fail_corrupt(cat("the members of '", path_, "' cannot be read"));
  return there > 0;
}

std::vector<std::string> H5Object::members(std::size_t limit) const {
  Names names{.names = {}, .limit = limit};
  if (H5Literate(get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, take_name, &names) < 0) {
    fail_corrupt(cat("the members of '", path_, "' cannot be read"));
  }
  return std::move(names.names);
}

H5Object H5Object::child(const std::string& name) const {
  const std::string path = cat(path_ == "/" ? "" : path_, '/', printable(name));
  if (!is_group()) {
    throw Error(ErrorCode::kModelCorrupt,
                cat("'", path_, "' is no group, and has no '", path, "'"));
  }
  if (!has_member(name)) {
    throw Error(ErrorCode::kModelCorrupt,
                cat("there is no '", path, "', which the file's list of names promises"));
  }
  H5L_info_t link{};
  if (H5Lget_info(get(), name.c_str(), &link, H5P_DEFAULT) < 0) {
    fail_corrupt(cat("'", path, "' cannot be found"));
  }
  if (link.type != H5L_TYPE_HARD) {
    throw Unsupported(cat("'",
                          path,
                          "' is a ",
                          link.type == H5L_TYPE_SOFT ? "soft" : "external",
                          " link, which may lead anywhere and is not followed; write the file with "
                          "the weights themselves"),
                      ErrorCode::kModelUnsupportedFormat);
  }
  H5Handle id(H5Oopen(get(), name.c_str(), H5P_DEFAULT), H5Oclose);
  if (!id.valid()) fail_corrupt(cat("'", path, "' cannot be read"));
  return {std::move(id), path};
}

H5Object H5Object::open(std::string_view path) const {
  H5Object object = child(std::string(path.substr(0, path.find('/'))));
  while (true) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return object;
    path.remove_prefix(slash + 1);
    object = object.child(std::string(path.substr(0, path.find('/'))));
  }
}

}  // namespace fovea::keras
