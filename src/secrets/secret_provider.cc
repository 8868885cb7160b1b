#include "secrets/secret_provider.h"

#include "secrets/aws_credentials.h"
#include "secrets/aws_sm.h"
#include "secrets/bitwarden.h"
#include "secrets/infisical.h"
#include "secrets/onepassword_cli.h"
#include "secrets/onepassword_connect.h"
#include "secrets/openbao.h"
#include "secrets/webhook_provider.h"

namespace windlass {
namespace {

// For a provider that will not be asked.
struct NoTransport final : HttpTransport {
  Result<HttpResponse> send(const HttpRequest&, const Deadline&) override { return fail(Kind::unavailable, ""); }
  Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck&, const BodySink&,
                              const Deadline& deadline) override {
    return send(request, deadline);
  }
};

struct NoProcesses final : ProcessRunner {
  Result<Exit> run(const Command&, const Deadline&) override { return fail(Kind::unavailable, ""); }
};

Result<std::unique_ptr<SecretProvider>> make_onepassword(const OnePasswordSettings& settings, const SecretParts& parts,
                                                         const SecretHttp& http) {
  if (!settings.connect_host.empty()) return make_onepassword_connect(settings, http);
  return make_onepassword_cli(settings, parts.environment, parts.processes, parts.clock);
}

std::unique_ptr<SecretProvider> make_aws(const AwsSettings& settings, const SecretParts& parts,
                                         const SecretHttp& http) {
  auto chain = std::make_shared<AwsCredentialChain>(settings, parts.environment, http, parts.clock);
  return make_aws_sm(
      settings, [chain](const Deadline& deadline) { return chain->get(deadline); }, http, parts.clock);
}

}  // namespace

Result<std::unique_ptr<SecretProvider>> make_secret_provider(const SecretSettings& settings, const SecretParts& parts) {
  const SecretHttp http(parts.transport, parts.clock);
  if (const auto* webhook = std::get_if<WebhookStoreSettings>(&settings.provider))
    return make_webhook_provider(*webhook, http);
  if (const auto* openbao = std::get_if<OpenbaoSettings>(&settings.provider))
    return make_openbao(*openbao, http, parts.log);
  if (const auto* onepassword = std::get_if<OnePasswordSettings>(&settings.provider))
    return make_onepassword(*onepassword, parts, http);
  if (const auto* infisical = std::get_if<InfisicalSettings>(&settings.provider))
    return make_infisical(*infisical, http, parts.clock);
  if (const auto* bitwarden = std::get_if<BitwardenSettings>(&settings.provider))
    return make_bitwarden(*bitwarden, http, parts.clock);
  if (const auto* aws = std::get_if<AwsSettings>(&settings.provider)) return make_aws(*aws, parts, http);
  return std::unique_ptr<SecretProvider>();
}

Status check_secret_settings(const SecretSettings& settings, const std::map<std::string, std::string>& environment) {
  NoTransport nobody;
  NoProcesses none;
  const SystemClock clock;
  const auto made = make_secret_provider(settings, {nobody, none, environment, clock, Log()});
  if (!made) return tl::unexpected(made.error());
  return {};
}

}  // namespace windlass
