#include "secrets/secret_provider.h"

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

}  // namespace

Result<std::unique_ptr<SecretProvider>> make_secret_provider(const SecretSettings& settings, const SecretParts& parts) {
  const SecretHttp http(parts.transport, parts.clock);
  if (const auto* webhook = std::get_if<WebhookStoreSettings>(&settings.provider))
    return make_webhook_provider(*webhook, http);
  if (const auto* openbao = std::get_if<OpenbaoSettings>(&settings.provider)) return make_openbao(*openbao, http);
  return std::unique_ptr<SecretProvider>();
}

Status check_secret_settings(const SecretSettings& settings) {
  NoTransport nobody;
  const SystemClock clock;
  const auto made = make_secret_provider(settings, {nobody, clock});
  if (!made) return tl::unexpected(made.error());
  return {};
}

}  // namespace windlass
