// Provider `aws_sm`: AWS Secrets Manager (secrets/V6).
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "config/secret_settings.h"
#include "secrets/aws_signature.h"
#include "secrets/secret_http.h"
#include "secrets/secret_provider.h"

namespace windlass {

// Whoever knows them at the moment.
using AwsCredentialSource = std::function<Result<AwsCredentials>(const Deadline& deadline)>;

std::unique_ptr<SecretProvider> make_aws_sm(const AwsSettings& settings, AwsCredentialSource credentials,
                                            SecretHttp http, const Clock& clock);

}  // namespace windlass
