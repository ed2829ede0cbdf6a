// HDF5 files written through libhdf5, for tests of the importer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <hdf5.h>

#include "engine/import_worker/keras/h5_handle.h"

namespace fovea::test {

enum class H5Text : std::uint8_t { kFixed, kVariable };

/// How a dataset is stored.
struct H5Storage {
  hid_t type = -1;                     ///< in the file; -1: little-endian float32
  std::vector<std::uint64_t> chunk{};  ///< empty: contiguous
  bool compressed = false;             ///< shuffle, gzip and fletcher32; needs a chunk
  std::string external{};              ///< a file that holds the numbers; empty: this one
};

/// A file that is being written; complete once the object is gone.
class H5File {
 public:
  explicit H5File(const std::filesystem::path& path);

  [[nodiscard]] hid_t id() const { return file_.get(); }

  /// Groups above what is added are created.
  void add_group(const std::string& path);

  /// A one-dimensional list of texts as an attribute of the group or dataset.
  void add_names(const std::string& object,
                 const std::string& attribute,
                 const std::vector<std::string>& names,
                 H5Text text = H5Text::kFixed) const;

  void add_floats(const std::string& path,
                  const std::vector<std::uint64_t>& shape,
                  const std::vector<float>& values,
                  const H5Storage& storage = {});

 private:
  [[nodiscard]] keras::H5Handle create(const std::string& path,
                                       hid_t type,
                                       hid_t space,
                                       hid_t creation) const;

  keras::H5Handle file_;
  keras::H5Handle links_;
};

/// A layer of a file as Keras 2 writes it: tensors by name and shape, their values counting up
/// through the whole file from 0 in steps of 1/8.
struct H5Layer {
  std::string name;
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> tensors;
};

/// Writes such a file. `root` is the group that gets the layers, "/" or "/model_weights".
void write_keras_file(const std::filesystem::path& path,
                      const std::vector<H5Layer>& layers,
                      H5Text text = H5Text::kFixed,
                      const std::string& root = "/");

}  // namespace fovea::test
