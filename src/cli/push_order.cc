#include "cli/push_order.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/secrets.h"
#include "config/setting_reader.h"
#include "sys/files.h"

namespace windlass {
namespace {

Result<SigningKey> signing_key(const PushCommand& command, const Environment& environment) {
  const auto pem = read_file(command.key_file, SigningKey::kPemBytesMax);
  if (!pem) return tl::unexpected(pem.error());
  Secret password(SettingReader(environment).text("COSIGN_PASSWORD"));
  if (!command.password_file.empty()) {
    auto read = secret_of_file(command.password_file);
    if (!read) return while_doing("--sign-password-file", read.error());
    password = std::move(*read);
  }
  auto key = SigningKey::parse(*pem, password);
  if (!key && key.error().kind == Kind::denied && password.empty())
    return fail(Kind::denied, fmt::format("{}: the key has a password, and none was given: set COSIGN_PASSWORD or give "
                                          "--sign-password-file FILE",
                                          command.key_file));
  return key ? key : while_doing(command.key_file, key.error());
}

Result<Reference> tagged(const Reference& reference, const std::string& tag) {
  auto named = Reference::parse(reference.source_id() + ":" + tag);
  return named ? named : while_doing("--tag", named.error());
}

Result<std::map<std::string, std::string>> parse_annotations(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> annotations;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == text.npos || equals == 0 || !is_valid_utf8(text))
      return fail(Kind::invalid, fmt::format("--annotation '{}': expected KEY=VALUE", printable(text, 256)));
    annotations[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return annotations;
}

}  // namespace

Result<PushOrder> push_order(const PushCommand& command, const Environment& environment) {
  auto reference = Reference::parse(command.reference);
  if (!reference)
    return while_doing(fmt::format("reference '{}'", printable(command.reference, 256)), reference.error());
  if (reference->digest())
    return fail(Kind::invalid, "the reference has a digest: what the digest will be is known after the push only");
  PushOrder order{.reference = *reference, .names = {*reference}};
  for (const auto& tag : command.tags) {
    auto name = tagged(*reference, tag);
    if (!name) return tl::unexpected(name.error());
    order.names.push_back(*name);
  }
  auto annotations = parse_annotations(command.annotations);
  if (!annotations) return tl::unexpected(annotations.error());
  order.annotations = std::move(*annotations);
  if (!command.key_file.empty()) {
    auto key = signing_key(command, environment);
    if (!key) return while_doing("--sign", key.error());
    order.key = std::move(*key);
  }
  if (command.notify) {
    if (command.notify->secret_file == "-" && command.password_file == "-")
      return fail(Kind::invalid, "--secret-file and --sign-password-file cannot both be standard input");
    auto announcement = Announcement::prepare(*command.notify, environment);
    if (!announcement) return tl::unexpected(announcement.error());
    order.announcement = std::move(*announcement);
  }
  return order;
}

}  // namespace windlass
