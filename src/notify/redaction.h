// Answers of other people's services as they may be logged (api/A5).
#pragma once

#include <string>
#include <string_view>

namespace windlass {

// At most 4096 bytes of the text, on one line, printable; URLs become [REDACTED_URL], values of keys that sound like a
// secret (url, token, auth, …) become [REDACTED], in JSON and in "key: value" or "key=value".
std::string redacted(std::string_view text);

}  // namespace windlass
