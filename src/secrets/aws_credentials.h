// Who we are to AWS: the keys of the settings, else what the surroundings offer (secrets/V6.1).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/deadline.h"
#include "config/secret_settings.h"
#include "secrets/aws_signature.h"
#include "secrets/secret_http.h"

namespace windlass {

// In this order: SECRET_PROVIDER_ACCESS_KEY_ID and its kin; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN; the address that AWS_CONTAINER_CREDENTIALS_FULL_URI or …_RELATIVE_URI names, as containers of ECS
// and pods of EKS have it; the metadata service of an instance (IMDSv2), unless AWS_EC2_METADATA_DISABLED is true.
class AwsCredentialChain {
 public:
  using Environment = std::map<std::string, std::string>;

  AwsCredentialChain(const AwsSettings& settings, const Environment& environment, SecretHttp http, const Clock& clock);

  // Temporary ones are kept until shortly before they end. Kind::denied: nothing in the surroundings offers any.
  Result<AwsCredentials> get(const Deadline& deadline);

 private:
  struct Temporary {
    AwsCredentials credentials;
    WallTime ends_at;
  };
  std::string variable(const std::string& name) const;
  Result<Temporary> from_container(const std::string& url, const Deadline& deadline) const;
  Result<Temporary> from_instance(const Deadline& deadline) const;
  Result<Temporary> ask(HttpRequest request, const Deadline& deadline) const;

  const AwsSettings settings_;
  const Environment environment_;
  const SecretHttp http_;
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<Temporary> known_;  // guarded by mutex_
};

}  // namespace windlass
