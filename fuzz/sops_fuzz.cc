// Files that SOPS has encrypted, and age keys (secrets 3, 4). The first byte chooses the name of the file.
#include <array>

#include "fuzz/fuzz.h"
#include "sops/age.h"
#include "sops/open_document.h"

namespace windlass {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"a.yaml", "a.json", "a.env", "a.ini", "a.txt"};

// What was read reads the same when it is written again.
void check_document(std::string_view text, sops::Format format) {
  const auto read = sops::parse(text, format, "a");
  if (!read) return require_printable(read.error().message);
  const auto written = sops::emit(*read, format);
  if (!written) return require_printable(written.error().message);
  if (format == sops::Format::binary || format == sops::Format::ini) return;
  const auto again = sops::parse(*written, format, "a");
  if (!again) return require(again.error().kind == Kind::conflict, "what was written can be read");
  require(*sops::emit(*again, format) == *written, "what was written reads the same");
}

void check_encrypted(std::string_view name, std::string_view text) {
  const auto file = sops::find_encrypted(name, text);
  if (!file) return;
  require(!file->metadata.mac.empty() && !file->metadata.version.empty(), "an encrypted file has a MAC and a version");
  require_printable(file->metadata.recipients());
  const auto opened = sops::open_document(*file, Secret(std::string(32, 'k')));
  require(!opened, "nobody makes a MAC without the key");
  require_printable(opened.error().message);
}

void check_keys(std::string_view text) {
  for (const auto& identity : sops::read_age_keys(text).identities)
    require(identity.recipient().starts_with("age1"), "an identity has a recipient");
  require(!sops::open_age_file(text, {}), "nobody opens an age file without an identity");
}

}  // namespace

void fuzz(std::string_view input) {
  if (input.empty()) return;
  const auto name = kNames[static_cast<unsigned char>(input.front()) % kNames.size()];
  const auto text = input.substr(1);
  check_document(text, sops::format_of(name));
  check_encrypted(name, text);
  check_keys(text);
}

}  // namespace windlass
