// What SOPS writes into a file beside its values: who can decrypt it, and how it is told from one that was changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sops/document.h"

namespace windlass::sops {

struct AgeRecipient {
  std::string recipient;  // age1…, ssh-…
  std::string encrypted;  // the data key as an armored age file
};

struct Metadata {
  std::string version, mac, last_modified;
  std::vector<AgeRecipient> age;
  std::vector<std::string> others;  // "pgp 85D7…", "kms arn:aws:…": recipients of other types
  std::size_t key_groups = 1;       // of which several hold a part of the data key each
  std::string unencrypted_suffix, encrypted_suffix, unencrypted_regex, encrypted_regex;
  bool has_comment_rule = false;  // what is encrypted depends on comments, which are not kept here
  bool mac_only_encrypted = false;

  // "age1…, pgp 85D7…"
  std::string recipients() const;
};

// Takes the metadata out of the branches of a file (Q23). Nothing, and nothing is taken, when there is none with a
// MAC and a version at its place (Q3).
std::optional<Metadata> take_metadata(Branches& branches, Format format);

// An encrypted file.
struct EncryptedFile {
  Format format = Format::binary;
  Metadata metadata;
  Branches branches;    // without the metadata
  bool is_read = true;  // false: written in a way that only sops reads (parse()); branches are empty then
};

// Nothing when the text is a plain one, whatever it mentions (Q3). The format is that of the name, else the one whose
// metadata is found (Q4). `text` is what the tree scan let through: cheap for all else.
std::optional<EncryptedFile> find_encrypted(std::string_view path, std::string_view text);

}  // namespace windlass::sops
