#include "cli/webhook_secret.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/setting_reader.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::uint64_t kSecretBytesMax = 64 << 10;

}  // namespace

Result<Secret> secret_of_file(const std::string& file) {
  const auto content = read_file(file == "-" ? "/dev/stdin" : file, kSecretBytesMax);
  if (!content) return tl::unexpected(content.error());
  const auto text = trim(*content);
  if (text.empty()) return fail(Kind::invalid, fmt::format("{} is empty", file == "-" ? "standard input" : file));
  return Secret(std::string(text));
}

Result<Secret> webhook_secret(const std::string& file, const Environment& environment) {
  if (!file.empty()) return secret_of_file(file);
  SettingReader reader(environment);
  auto secret = reader.secret("WEBHOOK_SECRET");
  if (!reader.faults().empty()) return fail(Kind::invalid, join(reader.faults(), "; "));
  if (secret.empty())
    return fail(Kind::invalid,
                "no webhook secret: give --secret-file FILE (- is standard input), WEBHOOK_SECRET or "
                "WEBHOOK_SECRET_FILE");
  return secret;
}

}  // namespace windlass
