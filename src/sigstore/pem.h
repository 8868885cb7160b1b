// PEM text (RFC 7468): labelled base64 between dashes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace windlass {

struct PemBlock {
  std::string label;  // "PUBLIC KEY"
  std::string der;
};

// The blocks of the text in order, at most `count_max` of them; text between blocks is ignored, as every reader does.
// Kind::invalid for no block at all, one without an end, or a body that is not base64; headers inside a block
// (RFC 1421) are refused.
Result<std::vector<PemBlock>> read_pem(std::string_view text, std::size_t count_max);

// One block, 64 characters a line, a line feed at the end.
std::string write_pem(std::string_view label, std::string_view der);

}  // namespace windlass
