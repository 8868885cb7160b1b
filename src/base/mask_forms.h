// How a secret may look in the texts of others, so that it is recognised there.
#pragma once

#include <cstddef>
#include <vector>

#include "base/secret.h"

namespace windlass {

constexpr std::size_t kMaskBytesMin = 6;       // shorter ones would mask ordinary words
constexpr std::size_t kMaskLineBytesMin = 12;  // of one line of a longer value: "services:" is no secret
constexpr std::size_t kMaskFormsMax = 300;     // of one secret, each of which is looked for in every line of the log

// What is to be masked for it: its text without the white space around it, which a file ends with and a program that
// prints it may leave out; of several lines each line, as logs come line by line; and all of these with escapes where
// they need them, as tools quote what they complain about. Nothing that is shorter than the limits above.
std::vector<Secret> mask_forms(const Secret& secret);

}  // namespace windlass
