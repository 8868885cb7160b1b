// External secrets: values that the operator keeps elsewhere, fetched when a stack is deployed.
//
// A provider is one kind of store, in a file of its own. It knows how a reference of its kind is written, how to ask,
// and how to read the answer. Who asks for what, how often, and what became of earlier answers is the resolver's
// business (secret_resolver.h). Values are never logged and never part of an error, and neither is the body of an
// answer (secrets/B8).
//
// Not here: who may ask (the deployment), and what a value is used for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "config/secret_settings.h"
#include "sys/http_client.h"
#include "sys/process.h"

namespace windlass {

struct SecretProvider {
  virtual ~SecretProvider() = default;

  // The values of distinct references, in their order, or why there is none. Kind::not_found: the store has no such
  // secret; Kind::invalid: the reference is none of this store's, or the answer cannot be used; Kind::denied: our
  // credentials do not suffice; Kind::unavailable: the store could not be asked, after all tries (secrets/E7). Called
  // from several threads.
  virtual std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline& deadline) = 0;

  // Is its value another one each time, as of a one-time password? Then it is no reason to change anything
  // (secrets/E15).
  virtual bool is_one_time(const std::string& /*reference*/) const { return false; }
};

struct SecretParts {
  HttpTransport& transport;
  ProcessRunner& processes;
  const std::map<std::string, std::string>& environment;  // of this process
  const Clock& clock;
  Log log;
};

// Null when the settings name none. Asks nobody. Kind::invalid: the settings hold something that the provider cannot
// use; names the setting.
Result<std::unique_ptr<SecretProvider>> make_secret_provider(const SecretSettings& settings, const SecretParts& parts);

// Whether make_secret_provider() would take them; nothing is kept.
Status check_secret_settings(const SecretSettings& settings, const std::map<std::string, std::string>& environment);

}  // namespace windlass
