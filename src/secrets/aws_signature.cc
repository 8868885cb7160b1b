#include "secrets/aws_signature.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <map>
#include <vector>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/url.h"

namespace windlass {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

Secret mac_of(const Secret& key, std::string_view message) {
  const auto mac = HmacSha256(key).sign(message);
  return Secret(std::string(reinterpret_cast<const char*>(mac.data()), mac.size()));
}

// Each key signs what narrows it down further: day, region, service.
Secret signing_key(const AwsCredentials& credentials, std::string_view day, const AwsScope& scope) {
  const Secret start("AWS4" + credentials.secret_access_key.reveal());
  return mac_of(mac_of(mac_of(mac_of(start, day), scope.region), scope.service), "aws4_request");
}

}  // namespace

void sign_for_aws(HttpRequest& request, const AwsScope& scope, const AwsCredentials& credentials, WallTime now) {
  const auto time = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
  const auto day = time.substr(0, 8);
  request.headers.push_back({"X-Amz-Date", time});
  if (!credentials.session_token.empty())
    request.headers.push_back({"X-Amz-Security-Token", credentials.session_token.reveal()});

  const auto url = parse_url(request.url).value_or(Url());
  const bool is_default_port = url.port == (url.scheme == "https" ? "443" : "80");
  std::map<std::string, std::string> headers = {{"host", is_default_port ? url.host : url.host_port()}};
  for (const auto& header : request.headers) headers[lower(header.name)] = trim(header.value);
  std::string lines;
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    lines += fmt::format("{}:{}\n", name, value);
    names.push_back(name);
  }
  const auto signed_names = join(names, ";");
  const auto canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, url.path, url.query, lines, signed_names,
                                     sha256_hex(request.body));
  const auto place = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const auto to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, place, sha256_hex(canonical));
  const auto signature = to_hex(mac_of(signing_key(credentials, day, scope), to_sign).reveal());
  request.headers.push_back(
      {"Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                    credentials.access_key_id, place, signed_names, signature)});
}

}  // namespace windlass
