// Secrets that commands need: from a file, the environment or standard input. Never from the command line, which every
// user of the machine can read.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "config/settings.h"

namespace windlass {

// The key of the webhook signature. `file` as given with --secret-file: "-" is standard input, "" means WEBHOOK_SECRET
// or WEBHOOK_SECRET_FILE, as the service reads them. White space around the content of a file is cut off, as there
// (webhook/A3, A4). Kind::invalid when there is none.
Result<Secret> webhook_secret(const std::string& file, const Environment& environment);

// The key of the REST API, likewise: --api-secret-file, API_SECRET or API_SECRET_FILE.
Result<Secret> api_secret(const std::string& file, const Environment& environment);

// The whole content of a file with one secret in it, trimmed; "-" is standard input.
Result<Secret> secret_of_file(const std::string& file);

}  // namespace windlass
