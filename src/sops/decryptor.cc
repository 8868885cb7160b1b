#include "sops/decryptor.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace windlass::sops {
namespace {

void collect(const Value& value, std::vector<Secret>& values) {
  const bool is_secret = value.kind != Value::Kind::boolean && value.kind != Value::Kind::comment;
  if (is_secret && !value.text.empty() && value.text.size() <= kToldValueBytesMax) values.emplace_back(value.text);
  for (const auto& item : value.items) collect(item, values);
  for (const auto& member : value.members) collect(member.value, values);
}

// Of a file that the command has decrypted nobody says which values were encrypted: all of them count.
std::vector<Secret> values_in(const std::string& text, Format format) {
  std::vector<Secret> values;
  if (format == Format::binary) {
    collect(text_value(text), values);
  } else if (const auto branches = parse(text, format, "")) {
    for (const auto& branch : *branches) collect(branch, values);
  }
  return values;
}

}  // namespace

Decryptor::Decryptor(std::map<std::string, std::string> environment, ProcessRunner& processes,
                     std::function<void(const std::string&)> warn)
    : environment_(std::move(environment)),
      command_environment_(command_environment(environment_)),
      keys_(environment_),
      processes_(processes),
      vault_token_(std::move(warn)) {}

Result<Plain> Decryptor::decrypt(std::string_view path, const EncryptedFile& file, std::string_view text,
                                 const Deadline& deadline) const {
  const auto failed = [&](Error why) {
    return while_doing(fmt::format("cannot decrypt {}", printable(path, 200)), std::move(why));
  };
  std::vector<std::string> faults;
  auto own = decrypt_here(file, faults);
  if (own) return own;
  // Even of a file that is damaged: what was written by another version may be misread here.
  auto asked = ask_command(file, text, deadline);
  if (asked) return asked;
  const bool has_command = asked.error().kind != Kind::not_found;
  if (asked.error().kind == Kind::unavailable) return failed(asked.error());
  if (own.error().kind == Kind::invalid) return failed(own.error());
  const bool has_no_key = has_command ? asked.error().kind == Kind::denied : own.error().kind == Kind::denied;
  if (!has_no_key)
    return failed(has_command ? asked.error() : Error{Kind::invalid, own.error().message + ": install sops"});
  auto message = fmt::format("needs one of {}; configured: {}", file.metadata.recipients(), keys_.in_words());
  if (!faults.empty()) message += fmt::format(" ({})", join(faults, "; "));
  if (!file.metadata.others.empty() && !has_command) message += "; keys other than age need sops: install sops";
  return failed({Kind::denied, std::move(message)});
}

// Kind::conflict: only sops can.
Result<Plain> Decryptor::decrypt_here(const EncryptedFile& file, std::vector<std::string>& faults) const {
  if (!file.is_read) return fail(Kind::conflict, "it is written in a way that only sops reads");
  const auto data_key = data_key_of(file.metadata, keys_.age_identities(faults));
  if (!data_key) return tl::unexpected(data_key.error());
  return open_document(file, *data_key);
}

Result<Plain> Decryptor::ask_command(const EncryptedFile& file, std::string_view text, const Deadline& deadline) const {
  const auto environment = vault_token_.environment_for_sops(processes_, command_environment_, deadline);
  auto plain = decrypt_by_command(processes_, environment, text, file.format, "/", deadline);
  if (!plain) return tl::unexpected(plain.error());
  auto values = values_in(plain->reveal(), file.format);
  return Plain{.text = *std::move(plain), .values = std::move(values)};
}

Result<std::optional<Plain>> Decryptor::decrypt_if_encrypted(std::string_view path, std::string_view text,
                                                             const Deadline& deadline) const {
  const auto file = find_encrypted(path, text);
  if (!file) return std::optional<Plain>();
  auto plain = decrypt(path, *file, text, deadline);
  if (!plain) return tl::unexpected(plain.error());
  return std::optional(*std::move(plain));
}

Result<std::optional<std::string>> Decryptor::text_if_encrypted(std::string_view path, std::string_view text,
                                                                const Deadline& deadline) const {
  const auto plain = decrypt_if_encrypted(path, text, deadline);
  if (!plain) return tl::unexpected(plain.error());
  return *plain ? std::optional((*plain)->text.reveal()) : std::nullopt;
}

}  // namespace windlass::sops
