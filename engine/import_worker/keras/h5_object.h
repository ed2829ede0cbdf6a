// The groups and datasets of an HDF5 file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/import_worker/keras/h5_handle.h"

namespace fovea::keras {

/// An open group or dataset, and what it is called in messages. All functions throw Error
/// model/corrupt, naming the object, for what is missing, damaged or of another kind.
class H5Object {
 public:
  /// The root group of the file.
  explicit H5Object(const H5Handle& file);

  /// "/block1_conv1"; "/" for the root.
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] hid_t get() const { return id_.get(); }

  [[nodiscard]] bool is_group() const;

  [[nodiscard]] bool has_attribute(const std::string& name) const;

  /// Whether something of that name, which has no '/', is in the group.
  [[nodiscard]] bool has_member(const std::string& name) const;

  /// The names of what is in the group, at most `limit` of them.
  [[nodiscard]] std::vector<std::string> members(std::size_t limit) const;

  /// The object at the path below this group ("block1_conv1/kernel:0"). Only hard links are
  /// followed: a soft or external one is model/unsupported-format, since it may lead to any file.
  [[nodiscard]] H5Object open(std::string_view path) const;

 private:
  H5Object(H5Handle id, std::string path) : id_(std::move(id)), path_(std::move(path)) {}

  [[nodiscard]] H5Object child(const std::string& name) const;

  H5Handle id_;
  std::string path_;
};

}  // namespace fovea::keras
