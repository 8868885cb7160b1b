#include "sigstore/checkpoint.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "sigstore/base64_field.h"

namespace windlass {
namespace {

constexpr std::string_view kDash = "\u2014 ";  // every signature line begins with it
constexpr std::size_t kHintBytes = 4;
constexpr std::size_t kHashBytes = 32;

tl::unexpected<Error> broken(std::string_view rule) { return fail(Kind::invalid, fmt::format("checkpoint: {}", rule)); }

Status read_text(Checkpoint& checkpoint) {
  const auto lines = split(checkpoint.text, '\n');
  if (lines.size() < 4 || lines[0].empty()) return broken("want an origin, a size and a root hash on the first lines");
  checkpoint.origin = lines[0];
  const auto size = lines[1];
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), checkpoint.size);
  if (size.empty() || error != std::errc() || end != size.data() + size.size() || checkpoint.size < 0)
    return broken(fmt::format("want a tree size on line 2, found '{}'", printable(size, 40)));
  auto root = decode_base64("root hash", lines[2]);
  if (!root || root->size() != kHashBytes)
    return broken(fmt::format("want a root hash on line 3, found '{}'", printable(lines[2], 80)));
  checkpoint.root_hash = std::move(*root);
  return {};
}

Result<NoteSignature> read_signature(std::string_view line) {
  if (!line.starts_with(kDash)) return broken("want a signature line that begins with a dash");
  line.remove_prefix(kDash.size());
  const auto space = line.find(' ');
  if (space == line.npos || space == 0) return broken("want a name and base64 on a signature line");
  auto bytes = decode_base64("signature", line.substr(space + 1));
  if (!bytes || bytes->size() <= kHintBytes) return broken("want a key hint and a signature on a signature line");
  return NoteSignature{.name = std::string(line.substr(0, space)),
                       .key_hint = bytes->substr(0, kHintBytes),
                       .signature = bytes->substr(kHintBytes)};
}

}  // namespace

Result<Checkpoint> read_checkpoint(std::string_view note) {
  if (note.size() > Checkpoint::kBytesMax)
    return broken(fmt::format("want at most {} bytes, got {}", Checkpoint::kBytesMax, note.size()));
  const auto gap = note.find("\n\n");
  if (gap == note.npos) return broken("want an empty line before the signatures");
  Checkpoint checkpoint{.text = std::string(note.substr(0, gap + 1))};
  if (const auto status = read_text(checkpoint); !status) return tl::unexpected(status.error());
  auto rest = note.substr(gap + 2);
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  for (const auto line : split(rest, '\n')) {
    if (checkpoint.signatures.size() == Checkpoint::kSignaturesMax) return broken("has too many signatures");
    auto signature = read_signature(line);
    if (!signature) return tl::unexpected(signature.error());
    checkpoint.signatures.push_back(std::move(*signature));
  }
  return checkpoint;
}

Status verify_checkpoint(const Checkpoint& checkpoint, const TransparencyLog& log) {
  for (const auto& signature : checkpoint.signatures)
    if (log.checkpoint_id.starts_with(signature.key_hint) &&
        log.key.verifies(checkpoint.text, signature.signature, SignedForm::log_record))
      return {};
  return fail(Kind::denied, fmt::format("checkpoint: want a signature of log {} (key {}), found none", log.name(),
                                        log.key.fingerprint()));
}

}  // namespace windlass
