#include "tests/support/h5_file.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace fovea::test {

namespace {

using keras::H5Handle;

/// The result of a call, which must not have failed.
template <typename Result>
Result done(Result result) {
  if (result < 0) throw std::runtime_error("libhdf5 cannot write what the test asks for");
  return result;
}

H5Handle simple_space(const std::vector<std::uint64_t>& shape) {
  const std::vector<hsize_t> dims(shape.begin(), shape.end());
  return {done(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr)), H5Sclose};
}

}  // namespace

H5File::H5File(const std::filesystem::path& path)
    : file_(done(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)), H5Fclose),
      links_(done(H5Pcreate(H5P_LINK_CREATE)), H5Pclose) {
  done(H5Pset_create_intermediate_group(links_.get(), 1));
}

void H5File::add_group(const std::string& path) {
  const H5Handle group(done(H5Gcreate2(id(), path.c_str(), links_.get(), H5P_DEFAULT, H5P_DEFAULT)),
                       H5Gclose);
}

void H5File::add_names(const std::string& object,
                       const std::string& attribute,
                       const std::vector<std::string>& names,
                       H5Text text) const {
  std::size_t longest = 1;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  const bool fixed = text == H5Text::kFixed;
  const H5Handle type(done(H5Tcopy(H5T_C_S1)), H5Tclose);
  done(H5Tset_size(type.get(), fixed ? longest : H5T_VARIABLE));
  if (fixed) done(H5Tset_strpad(type.get(), H5T_STR_NULLPAD));
  const H5Handle space = simple_space({names.size()});
  const H5Handle owner(done(H5Oopen(id(), object.c_str(), H5P_DEFAULT)), H5Oclose);
  const H5Handle added(
      done(H5Acreate2(
          owner.get(), attribute.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT)),
      H5Aclose);
  std::vector<char> bytes(names.size() * longest);
  std::vector<const char*> texts;
  for (const std::string& name : names) {
    std::ranges::copy(name, bytes.begin() + static_cast<std::ptrdiff_t>(texts.size() * longest));
    texts.push_back(name.c_str());
  }
  if (names.empty()) return;
  done(H5Awrite(
      added.get(),
      type.get(),
      fixed ? static_cast<const void*>(bytes.data()) : static_cast<const void*>(texts.data())));
}

H5Handle H5File::create(const std::string& path, hid_t type, hid_t space, hid_t creation) const {
  return {done(H5Dcreate2(id(), path.c_str(), type, space, links_.get(), creation, H5P_DEFAULT)),
          H5Dclose};
}

void H5File::add_floats(const std::string& path,
                        const std::vector<std::uint64_t>& shape,
                        const std::vector<float>& values,
                        const H5Storage& storage) {
  const H5Handle creation(done(H5Pcreate(H5P_DATASET_CREATE)), H5Pclose);
  if (!storage.chunk.empty()) {
    const std::vector<hsize_t> chunk(storage.chunk.begin(), storage.chunk.end());
    done(H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()));
  }
  if (storage.compressed) {
    done(H5Pset_shuffle(creation.get()));
    done(H5Pset_deflate(creation.get(), 6));
    done(H5Pset_fletcher32(creation.get()));
  }
  if (!storage.external.empty()) {
    done(H5Pset_external(creation.get(), storage.external.c_str(), 0, H5F_UNLIMITED));
  }
  const H5Handle space = simple_space(shape);
  const hid_t type = storage.type < 0 ? H5T_IEEE_F32LE : storage.type;
  const H5Handle dataset = create(path, type, space.get(), creation.get());
  if (values.empty()) return;
  done(H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
}

void write_keras_file(const std::filesystem::path& path,
                      const std::vector<H5Layer>& layers,
                      H5Text text,
                      const std::string& root) {
  H5File file(path);
  if (root != "/") file.add_group(root);
  const std::string prefix = root == "/" ? root : root + "/";
  std::vector<std::string> names;
  float next = 0;
  for (const H5Layer& layer : layers) {
    const std::string group = prefix + layer.name;
    file.add_group(group);
    std::vector<std::string> weights;
    for (const auto& [name, shape] : layer.tensors) {
      std::vector<float> values(std::accumulate(
          shape.begin(), shape.end(), std::size_t{1}, std::multiplies<std::size_t>()));
      for (float& value : values) value = 0.125F * next++;
      std::string dataset = group;
      dataset.append("/").append(name);
      file.add_floats(dataset, shape, values);
      weights.push_back(name);
    }
    file.add_names(group, "weight_names", weights, text);
    names.push_back(layer.name);
  }
  file.add_names(root, "layer_names", names, text);
}

}  // namespace fovea::test
