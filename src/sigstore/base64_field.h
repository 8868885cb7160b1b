// Base64 as signature formats must carry it: standard alphabet, padded, one text for one value.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

// Kind::invalid "<field> is not standard base64" for anything that encoding the bytes again would not give back.
Result<std::string> decode_base64(std::string_view field, std::string_view text);

}  // namespace windlass
