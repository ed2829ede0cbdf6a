#include "engine/import_worker/keras/h5_image.h"

#include "engine/import_worker/keras/h5_error.h"

namespace fovea::keras {

namespace {

// libhdf5 copies an image into its property list, and again for every copy of that and for the open
// file. These callbacks make all of them the one buffer that there is. The file is opened for
// reading, so it is never written to.

void* share(std::size_t /*size*/, H5FD_file_image_op_t /*operation*/, void* image) {
  return image;
}

void* copy_nothing(void* destination,
                   const void* /*source*/,
                   std::size_t /*size*/,
                   H5FD_file_image_op_t /*operation*/,
                   void* /*image*/) {
  return destination;
}

void* refuse_to_grow(void* /*old*/,
                     std::size_t /*size*/,
                     H5FD_file_image_op_t /*operation*/,
                     void* /*image*/) {
  return nullptr;
}

herr_t free_nothing(void* /*data*/, H5FD_file_image_op_t /*operation*/, void* /*image*/) {
  return 0;
}

void* same_image(void* image) {
  return image;
}

herr_t leave_image(void* /*image*/) {
  return 0;
}

}  // namespace

H5Handle open_image(std::span<const std::byte> bytes) {
  constexpr std::size_t kIncrement = 1 << 16;
  auto* image = const_cast<std::byte*>(bytes.data());
  H5FD_file_image_callbacks_t callbacks{
      share, copy_nothing, refuse_to_grow, free_nothing, same_image, leave_image, image};
  const H5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (!access.valid() || H5Pset_fapl_core(access.get(), kIncrement, 0) < 0 ||
      H5Pset_file_image_callbacks(access.get(), &callbacks) < 0 ||
      H5Pset_file_image(access.get(), image, bytes.size()) < 0) {
    fail_corrupt("libhdf5 takes no file from memory");
  }
  // A name that no file can have: the driver refuses an image with the name of a file.
  H5Handle file(H5Fopen("/dev/null/image", H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file.valid()) fail_corrupt("the file is not whole, or no HDF5 file");
  return file;
}

}  // namespace fovea::keras
