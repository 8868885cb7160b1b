#include "cli/secrets.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/setting_reader.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::uint64_t kSecretBytesMax = 64 << 10;

Result<Secret> secret_from(const std::string& file, std::string_view option, const std::string& variable,
                           std::string_view what, const Environment& environment) {
  if (!file.empty()) return secret_of_file(file);
  SettingReader reader(environment);
  auto secret = reader.secret(variable);
  if (!reader.faults().empty()) return fail(Kind::invalid, join(reader.faults(), "; "));
  if (secret.empty())
    return fail(Kind::invalid,
                fmt::format("no {0}: give {1} FILE (- is standard input), {2} or {2}_FILE", what, option, variable));
  return secret;
}

}  // namespace

Result<Secret> secret_of_file(const std::string& file) {
  const auto content = read_file(file == "-" ? "/dev/stdin" : file, kSecretBytesMax);
  if (!content) return tl::unexpected(content.error());
  const auto text = trim(*content);
  if (text.empty()) return fail(Kind::invalid, fmt::format("{} is empty", file == "-" ? "standard input" : file));
  return Secret(std::string(text));
}

Result<Secret> webhook_secret(const std::string& file, const Environment& environment) {
  return secret_from(file, "--secret-file", "WEBHOOK_SECRET", "webhook secret", environment);
}

Result<Secret> api_secret(const std::string& file, const Environment& environment) {
  return secret_from(file, "--api-secret-file", "API_SECRET", "API secret", environment);
}

}  // namespace windlass
