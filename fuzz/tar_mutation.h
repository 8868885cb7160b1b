// Mutations of tar archives that keep the check sums of headers right: without them nearly every input would end at its
// first header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace windlass {

// One archive with every header it has sealed again; what is no archive any more stays as it is.
std::string with_check_sums(std::string archive);

// For LLVMFuzzerCustomMutator: libFuzzer's own mutation, then the check sums, in most cases.
std::size_t mutate_archive(std::uint8_t* data, std::size_t size, std::size_t size_max, unsigned seed);

}  // namespace windlass
