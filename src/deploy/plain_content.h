// What stands on record for the content of a file that lies decrypted in the live directory: its hash as that of any
// other file (ContentHash: nobody who reads the state file can guess a short secret from it; secrets/B4, Q22), marked.
#pragma once

#include <string>
#include <string_view>

namespace windlass {

inline constexpr std::string_view kPlainContentMark = "decrypted:";

// As TreeEntry::content of the file. `content_hash`: of the plain text.
inline std::string mark_plain_content(std::string_view content_hash) {
  return std::string(kPlainContentMark).append(content_hash);
}
inline bool is_plain_content(std::string_view content) { return content.starts_with(kPlainContentMark); }

}  // namespace windlass
