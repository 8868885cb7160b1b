// A log's signed word about its tree, in the form of signed notes: lines of text, an empty line, signature lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sigstore/trusted_root.h"

namespace windlass {

struct NoteSignature {
  std::string name;
  std::string key_hint;   // 4 raw bytes: which key of that name
  std::string signature;  // raw bytes
};

struct Checkpoint {
  static constexpr std::size_t kBytesMax = 64u << 10;  // real ones: 0.2 KB, with many witnesses a few more
  static constexpr std::size_t kSignaturesMax = 100;

  std::string text;  // the signed part, with its last line feed
  std::string origin;
  std::int64_t size = 0;
  std::string root_hash;  // raw bytes
  std::vector<NoteSignature> signatures;
};

// Kind::invalid with the line that is wrong.
Result<Checkpoint> read_checkpoint(std::string_view note);

// One of the signatures is by the log's key; those of keys that are not known (witnesses) do not matter.
// Kind::denied otherwise.
Status verify_checkpoint(const Checkpoint& checkpoint, const TransparencyLog& log);

}  // namespace windlass
