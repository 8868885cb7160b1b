#include "secrets/aws_credentials.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sys/files.h"
#include "sys/url.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kSpare = 5min;  // temporary credentials are renewed so long before their end
constexpr std::string_view kContainerHost = "http://169.254.170.2";
constexpr std::string_view kInstanceHost = "http://169.254.169.254/latest";
constexpr std::uint64_t kTokenBytesMax = 64 << 10;

// Over plain HTTP only to addresses that do not leave the machine.
bool is_safe(const Url& url) {
  return url.scheme == "https" || url.host == "localhost" || url.host.starts_with("127.") || url.host == "[::1]" ||
         url.host.starts_with("169.254.170.") || url.host == "[fd00:ec2::23]";
}

}  // namespace

AwsCredentialChain::AwsCredentialChain(const AwsSettings& settings, const Environment& environment, SecretHttp http,
                                       const Clock& clock)
    : settings_(settings), environment_(environment), http_(http), clock_(clock) {}

std::string AwsCredentialChain::variable(const std::string& name) const {
  const auto found = environment_.find(name);
  return found == environment_.end() ? "" : found->second;
}

Result<AwsCredentials> AwsCredentialChain::get(const Deadline& deadline) {
  if (!settings_.access_key_id.empty())
    return AwsCredentials{settings_.access_key_id, settings_.secret_access_key, settings_.session_token};
  if (const auto id = variable("AWS_ACCESS_KEY_ID"); !id.empty())
    return AwsCredentials{id, Secret(variable("AWS_SECRET_ACCESS_KEY")), Secret(variable("AWS_SESSION_TOKEN"))};
  const std::lock_guard lock(mutex_);  // whoever comes meanwhile needs the same answer
  if (known_ && clock_.now() + kSpare < known_->ends_at) return known_->credentials;
  auto container = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (const auto path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); container.empty() && !path.empty())
    container = std::string(kContainerHost) + path;
  if (container.empty() && lower(variable("AWS_EC2_METADATA_DISABLED")) == "true")
    return fail(Kind::denied, "no AWS credentials: set SECRET_PROVIDER_ACCESS_KEY_ID");
  auto found = container.empty() ? from_instance(deadline) : from_container(container, deadline);
  if (!found) return while_doing("AWS credentials", found.error());
  known_ = *std::move(found);
  return known_->credentials;
}

Result<AwsCredentialChain::Temporary> AwsCredentialChain::from_container(const std::string& url,
                                                                         const Deadline& deadline) const {
  const auto parsed = parse_url(url);
  if (!parsed || !is_safe(*parsed))
    return fail(Kind::invalid, "AWS_CONTAINER_CREDENTIALS_FULL_URI: neither https nor an address of this machine");
  HttpRequest request{.url = url, .may_be_link_local = true, .use_proxy = false};
  auto token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
    const auto content = read_file(file, kTokenBytesMax);
    if (!content) return while_doing("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", content.error());
    token = trim(*content);
  }
  if (!token.empty()) request.headers.push_back({"Authorization", token});
  return ask(std::move(request), deadline);
}

// With a token of its own, which a request that is only passed on cannot get (IMDSv2).
Result<AwsCredentialChain::Temporary> AwsCredentialChain::from_instance(const Deadline& deadline) const {
  const auto session = http_.ask({.method = "PUT",
                                  .url = std::string(kInstanceHost) + "/api/token",
                                  .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                                  .may_be_link_local = true,
                                  .use_proxy = false},
                                 deadline);
  if (!session) return tl::unexpected(session.error());
  if (session->status != 200) return fail(Kind::denied, "the metadata service gives no token");
  HttpRequest request{.url = std::string(kInstanceHost) + "/meta-data/iam/security-credentials/",
                      .headers = {{"X-aws-ec2-metadata-token", session->body}},
                      .may_be_link_local = true,
                      .use_proxy = false};
  const auto role = http_.ask(request, deadline);
  if (!role) return tl::unexpected(role.error());
  if (role->status != 200) return fail(Kind::denied, "the instance has no role");
  request.url += trim(role->body);
  return ask(std::move(request), deadline);
}

Result<AwsCredentialChain::Temporary> AwsCredentialChain::ask(HttpRequest request, const Deadline& deadline) const {
  const auto answer = http_.ask_json(std::move(request), deadline);
  if (!answer) return tl::unexpected(answer.error());
  const auto* object = answer->if_object();
  const auto member = [&](std::string_view name) {
    return std::string(object == nullptr ? std::string_view() : text_of(*object, name));
  };
  const auto ends_at = parse_rfc3339(member("Expiration"));
  if (member("AccessKeyId").empty() || member("SecretAccessKey").empty() || !ends_at)
    return fail(Kind::invalid, "the answer holds no credentials");
  return Temporary{{member("AccessKeyId"), Secret(member("SecretAccessKey")), Secret(member("Token"))}, *ends_at};
}

}  // namespace windlass
