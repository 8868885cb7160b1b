// Where external secrets are kept: SECRET_PROVIDER, the settings of that provider, and how often values are looked at
// again (config 2, secrets/E1).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/secret.h"

namespace windlass {

class SettingReader;

// Stores of the operator's own, spoken to over HTTP (secrets/V1).
struct WebhookStoreSettings {
  Secret stores;  // the YAML text; it may hold credentials
  Secret username, password, token, api_key;
};

// OpenBao, and Vault (secrets/V5).
struct OpenbaoSettings {
  std::string site_url;  // without a slash at its end
  Secret token;
  std::string name_space;  // of references that name none; "": the server's root
  std::string ca_file, client_cert_file, client_key_file;
};

// 1Password: by a Connect server if its host is given, else by a service account (secrets/V2).
struct OnePasswordSettings {
  std::string connect_host;  // without a slash at its end
  Secret connect_token;
  Secret access_token;
  bool cache_enabled = false;  // of service accounts, as the rest
  std::chrono::milliseconds cache_ttl = std::chrono::minutes(5);
  unsigned cache_max_size = 100;
};

struct InfisicalSettings {
  std::string api_url;  // ends in /api
  std::string client_id;
  Secret client_secret;
};

struct BitwardenSettings {
  std::string api_url, identity_url;  // without a slash at their end
  Secret access_token;
};

// AWS Secrets Manager (secrets/V6).
struct AwsSettings {
  std::string region;         // of references that are no ARN
  std::string access_key_id;  // "": what the surroundings offer, see aws_credentials.h
  Secret secret_access_key;
  Secret session_token;
  std::string endpoint_url;  // "": AWS itself
};

struct SecretSettings {
  std::variant<std::monostate, WebhookStoreSettings, OpenbaoSettings, OnePasswordSettings, InfisicalSettings,
               BitwardenSettings, AwsSettings>
      provider;
  std::chrono::milliseconds refresh_interval = std::chrono::minutes(5);  // 0: at every run

  // As in SECRET_PROVIDER; "" without one.
  std::string_view name() const;
};

// All that is secret in them.
std::vector<Secret> secrets_in(const SecretSettings& settings);

// Faults name the variable and the rule. Settings of a provider are read only when it is the one that is chosen.
SecretSettings read_secret_settings(SettingReader& read);

}  // namespace windlass
