#include "cli/registry_client.h"

#include "base/text.h"
#include "config/registries_file.h"
#include "config/setting_reader.h"
#include "oci/credential_options.h"

namespace windlass {

Result<std::unique_ptr<RegistryClient>> RegistryClient::make(const Environment& environment, HttpTransport& transport) {
  const Log log(Log::for_standard_error(LogLevel::warning));
  std::unique_ptr<RegistryClient> made(new RegistryClient);
  made->processes_ = make_process_runner();
  made->credentials_ = CredentialSource::make(credential_options(environment), *made->processes_, log);
  if (auto valid = made->credentials_->check(); !valid) return tl::unexpected(valid.error());
  SettingReader read(environment);
  for (const auto& registry : read.list("OCI_INSECURE_REGISTRIES"))
    made->options_.insecure_registries.push_back(lower(registry));
  made->options_.rules = read_registries_file(read);
  if (!read.faults().empty()) return fail(Kind::invalid, join(read.faults(), "\n"));
  made->options_.user_agent = "windlass/" WINDLASS_VERSION;
  made->access_ = std::make_unique<RegistryAccess>(made->options_, transport, *made->credentials_, made->clock_, log);
  return made;
}

}  // namespace windlass
