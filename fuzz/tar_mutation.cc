#include "fuzz/tar_mutation.h"

#include <algorithm>
#include <cstring>

#include "sys/tar_builder.h"
#include "sys/tar_header.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace windlass {
namespace {

constexpr unsigned kUnsealedOneIn = 8;  // wrong check sums are inputs too

std::size_t blocks_of(std::int64_t bytes) {
  return (static_cast<std::size_t>(bytes) + kTarBlockBytes - 1) / kTarBlockBytes;
}

}  // namespace

std::string with_check_sums(std::string archive) {
  for (std::size_t at = 0; at + kTarBlockBytes <= archive.size();) {
    const auto block = archive.substr(at, kTarBlockBytes);
    std::size_t data_blocks = 0;
    if (!is_zero_block(block)) {
      archive.replace(at, kTarBlockBytes, TarBuilder::sealed(block));
      const auto size = tar_number(std::string_view(block).substr(124, 12)).value_or(0);
      if (size > 0 && size < static_cast<std::int64_t>(archive.size())) data_blocks = blocks_of(size);
    }
    at += (1 + data_blocks) * kTarBlockBytes;
  }
  return archive;
}

std::size_t mutate_archive(std::uint8_t* data, std::size_t size, std::size_t size_max, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, size_max);
  if (seed % kUnsealedOneIn == 0) return size;
  const auto sealed = with_check_sums({reinterpret_cast<const char*>(data), size});
  std::memcpy(data, sealed.data(), size);  // as long as before
  return size;
}

}  // namespace windlass
