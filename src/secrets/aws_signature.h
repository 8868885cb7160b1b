// Signature Version 4 of AWS (secrets/V6.2).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "sys/http_client.h"

namespace windlass {

struct AwsCredentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // of temporary ones
};

// What a request is signed for.
struct AwsScope {
  std::string region;
  std::string service;
};

// Adds X-Amz-Date, X-Amz-Security-Token of temporary credentials, and Authorization. Every header that is there already
// is signed, and so is the host of the URL; the path must be in its canonical form, the query empty.
void sign_for_aws(HttpRequest& request, const AwsScope& scope, const AwsCredentials& credentials, WallTime now);

}  // namespace windlass
