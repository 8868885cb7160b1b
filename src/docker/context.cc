#include "docker/context.h"

#include <fmt/format.h>

#include <algorithm>

#include "sys/address.h"
#include "sys/crypto.h"
#include "sys/files.h"
#include "sys/json.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMetaBytesMax = 1 << 20;

std::string file_if_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored) ? file.string() : "";
}

tl::unexpected<Error> bad_metadata(std::string_view name, std::string_view why) {
  return fail(Kind::invalid, fmt::format("docker context {}: its metadata: {}", name, why));
}

// What stands between "://" and the port or the path.
std::string_view machine_of(std::string_view host) {
  host.remove_prefix(std::min(host.find("://") + 3, host.size()));
  host = host.substr(0, host.find('/'));
  host.remove_prefix(host.rfind('@') + 1);  // none: npos + 1 is 0
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.rfind(':'));
}

}  // namespace

Result<DockerContext> read_context(const fs::path& config_dir, const std::string& name) {
  const auto contexts = config_dir / "contexts";
  const auto hash = sha256_hex(name);
  const auto text = read_file(contexts / "meta" / hash / "meta.json", kMetaBytesMax);
  if (!text && text.error().kind == Kind::not_found)
    return fail(Kind::not_found, fmt::format("docker context {} is not known: {} has no metadata of that name", name,
                                             contexts.string()));
  if (!text) return while_doing(fmt::format("docker context {}", name), text.error());
  const auto meta = parse_json(*text);
  if (!meta) return bad_metadata(name, meta.error().message);
  const auto* members = meta->if_object();
  const auto* endpoints = members == nullptr ? nullptr : object_of(*members, "Endpoints");
  const auto* docker = endpoints == nullptr ? nullptr : object_of(*endpoints, "docker");
  if (docker == nullptr) return bad_metadata(name, "Endpoints.docker is not there");
  DockerContext context{.name = name, .host = std::string(text_of(*docker, "Host"))};
  if (context.host.empty()) return bad_metadata(name, "Endpoints.docker.Host is not there");
  const auto* skips = docker->if_contains("SkipTLSVerify");
  context.skip_tls_verify = skips != nullptr && skips->is_bool() && skips->get_bool();
  const auto tls = contexts / "tls" / hash / "docker";
  context.ca_file = file_if_there(tls / "ca.pem");
  context.cert_file = file_if_there(tls / "cert.pem");
  context.key_file = file_if_there(tls / "key.pem");
  return context;
}

std::vector<std::string> context_names(const fs::path& config_dir) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& folder : fs::directory_iterator(config_dir / "contexts/meta", ignored)) {
    const auto text = read_file(folder.path() / "meta.json", kMetaBytesMax);
    const auto meta = text ? parse_json(*text) : Result<json::value>(tl::unexpected(text.error()));
    if (!meta || !meta->is_object()) continue;
    auto name = std::string(text_of(meta->get_object(), "Name"));
    if (!name.empty() && folder.path().filename() == sha256_hex(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_remote(const DockerContext& context) {
  if (context.host.starts_with("ssh://")) return true;
  if (!context.host.starts_with("tcp://")) return false;
  const auto machine = machine_of(context.host);
  return !is_loopback_host(machine);
}

}  // namespace windlass
