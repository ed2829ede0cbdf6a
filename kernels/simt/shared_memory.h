// The shared memory of one emulated block.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace simt {

/// Bytes of static shared memory that a kernel may have, and of static and dynamic memory together
/// without an opt-in by cudaFuncSetAttribute.
inline constexpr std::size_t kSharedBytes = 48 << 10;

/// Variables of one block, found by the address of a key. Memory that nothing was written to holds
/// a pattern that is NaN as double, float and half; under AddressSanitizer the bytes around every
/// variable cannot be accessed.
class SharedMemory {
 public:
  SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  /// Forgets all variables and makes room for `dynamic_bytes` of dynamic memory.
  void reset(std::size_t dynamic_bytes);

  /// The variable of that key; all variables are aligned to 16 bytes.
  /// Throws EmulationError where a block has more than kSharedBytes or 32 variables.
  void* variable(const void* key, std::size_t bytes);

  [[nodiscard]] void* dynamic() const { return dynamic_; }

 private:
  void* place(std::size_t bytes);

  struct Variable {
    const void* key = nullptr;
    void* address = nullptr;
  };

  std::unique_ptr<std::uint64_t[]> words_;
  std::size_t used_words_ = 0;  ///< with the gaps between variables
  std::size_t used_bytes_ = 0;  ///< as a GPU would count
  // Not a vector: a thread that allocates here would race with the others in the detector's eyes.
  std::array<Variable, 32> variables_{};
  std::size_t variable_count_ = 0;
  void* dynamic_ = nullptr;
};

}  // namespace simt
