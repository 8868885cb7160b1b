#include "secrets/openbao.h"

#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "secrets/jmespath_functions.h"
#include "secrets/openbao_token.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::size_t kAtATime = 8;

// Where one secret of a key-value engine is; it holds several keys.
struct Place {
  std::string name_space, engine, secret;
  auto operator<=>(const Place&) const = default;
};

struct KeyReference {
  Place place;
  std::string key;
};

tl::unexpected<Error> odd_reference(std::string_view reference) {
  return fail(Kind::invalid, fmt::format("invalid secret reference: unexpected ref format \"{}\": expected "
                                         "kv:[namespace:]engine:secret:key",
                                         printable(reference, 200)));
}

// "kv:[namespace:]engine:secret:key"; only slashes may divide a part further.
Result<KeyReference> parse_reference(std::string_view reference) {
  const auto parts = split(reference, ':');
  if (parts[0] == "pki" || parts[0] == "pki-role")
    return fail(Kind::invalid, fmt::format("secret reference \"{}\": {} is not built yet in this version of windlass, "
                                           "only kv is",
                                           printable(reference, 200), parts[0]));
  if (parts[0] != "kv" || parts.size() < 4 || parts.size() > 5) return odd_reference(reference);
  for (const auto part : parts)
    if (part.empty()) return odd_reference(reference);
  // Servers resolve them: a reference could name any path that the token may read, the token's own look-up too.
  for (const auto part : parts)
    if (has_dot_segment(part))
      return fail(Kind::invalid, fmt::format("invalid secret reference \"{}\": \".\" and \"..\" are no names",
                                             printable(reference, 200)));
  const auto engine = parts.size() - 3;
  return KeyReference{.place = {.name_space = std::string(parts.size() == 5 ? parts[1] : ""),
                                .engine = std::string(parts[engine]),
                                .secret = std::string(parts[engine + 1])},
                      .key = std::string(parts[engine + 2])};
}

Result<Secret> value_of(const json::object& values, const KeyReference& reference) {
  const auto* value = values.if_contains(reference.key);
  if (value == nullptr)
    return fail(Kind::not_found, fmt::format("key {} not found in secret {}", printable(reference.key, 200),
                                             printable(reference.place.secret, 200)));
  if (value->is_string()) return Secret(std::string(value->get_string()));
  if (value->is_bool() || jmes_number(*value)) return Secret(jmes_text(*value));
  return fail(Kind::invalid, fmt::format("value of key {} is not a string", printable(reference.key, 200)));
}

class Openbao final : public SecretProvider {
 public:
  Openbao(OpenbaoSettings settings, SecretHttp http, Log log)
      : settings_(std::move(settings)),
        http_(http),
        token_([this](std::string_view method, const std::string& path,
                      const Deadline& deadline) { return ask(method, path, settings_.name_space, deadline); },
               std::move(log)) {}

  std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline& deadline) override {
    token_.start();
    std::vector<Result<KeyReference>> parsed;
    std::set<Place> places;
    for (const auto& reference : references) {
      parsed.push_back(parse_reference(reference));
      if (parsed.back()) places.insert(parsed.back()->place);
    }
    const auto secrets = read_all({places.begin(), places.end()}, deadline);
    std::vector<Result<Secret>> results;
    for (const auto& reference : parsed) {
      if (!reference) {
        results.push_back(tl::unexpected(reference.error()));
        continue;
      }
      const auto& values = secrets.at(reference->place);
      results.push_back(values ? value_of(*values, *reference) : tl::unexpected(values.error()));
    }
    return results;
  }

 private:
  using Values = Result<json::object>;

  // Several keys of one secret are one call.
  std::map<Place, Values> read_all(const std::vector<Place>& places, const Deadline& deadline) {
    std::map<Place, Values> read;
    for (const auto& place : places) read[place];
    const auto done = for_each_index(places.size(), kAtATime, [&](std::size_t index) {
      read.at(places[index]) = this->read(places[index], deadline);
      return Status();
    });
    for (std::size_t index = 0; index < done.size(); ++index)
      if (!done[index]) read.at(places[index]) = tl::unexpected(done[index].error());
    return read;
  }

  // Version 2 of the engine, which has a folder `data`; version 1 if the server says so of the mount.
  Values read(const Place& place, const Deadline& deadline) {
    if (is_version_1(place)) return read_plain(place, deadline);
    auto answer = get(fmt::format("{}/data/{}", path_of(place.engine), path_of(place.secret)), place, deadline);
    if (answer) {
      const auto* data = answer->is_object() ? object_of(answer->get_object(), "data") : nullptr;
      const auto* values = data == nullptr ? nullptr : object_of(*data, "data");
      return values == nullptr ? no_secret(place) : Values(*values);
    }
    if (answer.error().kind != Kind::not_found) return tl::unexpected(answer.error());
    if (!find_version_1(place, deadline)) return no_secret(place);
    return read_plain(place, deadline);
  }

  Values read_plain(const Place& place, const Deadline& deadline) {
    auto answer = get(fmt::format("{}/{}", path_of(place.engine), path_of(place.secret)), place, deadline);
    if (!answer && answer.error().kind == Kind::not_found) return no_secret(place);
    if (!answer) return tl::unexpected(answer.error());
    const auto* values = answer->is_object() ? object_of(answer->get_object(), "data") : nullptr;
    return values == nullptr ? no_secret(place) : Values(*values);
  }

  static Values no_secret(const Place& place) {
    return fail(Kind::not_found, fmt::format("there is no secret {} in engine {}", printable(place.secret, 200),
                                             printable(place.engine, 200)));
  }

  bool is_version_1(const Place& place) {
    const std::lock_guard lock(mutex_);
    return version_1_.contains({place.name_space, place.engine});
  }

  // A token that may not ask reads version 2 only.
  bool find_version_1(const Place& place, const Deadline& deadline) {
    const auto answer = get("sys/internal/ui/mounts/" + path_of(place.engine), place, deadline);
    const auto* data = answer && answer->is_object() ? object_of(answer->get_object(), "data") : nullptr;
    if (data == nullptr || (text_of(*data, "type") != "kv" && text_of(*data, "type") != "generic")) return false;
    const auto* options = object_of(*data, "options");
    if (options != nullptr && text_of(*options, "version") == "2") return false;
    const std::lock_guard lock(mutex_);
    version_1_.insert({place.name_space, place.engine});
    return true;
  }

  static std::string path_of(std::string_view part) { return url_encode(part, "/"); }

  Result<json::value> get(const std::string& path, const Place& place, const Deadline& deadline) const {
    return ask("GET", path, place.name_space.empty() ? settings_.name_space : place.name_space, deadline);
  }

  Result<json::value> ask(std::string_view method, const std::string& path, const std::string& name_space,
                          const Deadline& deadline) const {
    HttpRequest request{.method = std::string(method),
                        .url = fmt::format("{}/v1/{}", settings_.site_url, path),
                        .headers = {{"X-Vault-Token", settings_.token.reveal()}, {"X-Vault-Request", "true"}},
                        .tls = {.ca_file = settings_.ca_file,
                                .client_cert_file = settings_.client_cert_file,
                                .client_key_file = settings_.client_key_file}};
    if (!name_space.empty()) request.headers.push_back({"X-Vault-Namespace", name_space});
    return http_.ask_json(std::move(request), deadline);
  }

  const OpenbaoSettings settings_;
  const SecretHttp http_;
  std::mutex mutex_;
  std::set<std::pair<std::string, std::string>> version_1_;  // namespace and engine; guarded by mutex_
  OpenbaoToken token_;                                       // last: its thread asks by what is above
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> make_openbao(const OpenbaoSettings& settings, SecretHttp http, Log log) {
  for (const auto& [name, file] :
       {std::pair("CACERT", settings.ca_file), std::pair("CLIENT_CERT", settings.client_cert_file),
        std::pair("CLIENT_KEY", settings.client_key_file)})
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
      return fail(Kind::invalid, fmt::format("BAO_{0} or VAULT_{0}: cannot read {1}", name, printable(file, 200)));
  return std::make_unique<Openbao>(settings, http, std::move(log));
}

}  // namespace windlass
