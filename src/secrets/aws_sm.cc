#include "secrets/aws_sm.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "base/text.h"
#include "secrets/jmespath_functions.h"

namespace windlass {
namespace {

// A secret, and what is wanted of it: all of its text, or one key of the JSON object in it.
struct Wanted {
  std::string id;
  std::optional<std::string> key;
};

bool is_arn(std::string_view text) { return text.starts_with("arn:"); }

// V6.3. The ways to read a reference, in the order in which they are tried: "<id>#<key>"; an ARN with a slash may be
// the name of a secret with a slash, or end in a key.
std::vector<Wanted> readings(const std::string& reference) {
  if (const auto mark = reference.find('#'); mark != reference.npos)
    return {{.id = reference.substr(0, mark), .key = reference.substr(mark + 1)}};
  std::vector<Wanted> all = {{.id = reference, .key = {}}};
  const auto name = is_arn(reference) ? reference.find(":secret:") : reference.npos;
  const auto slash = name == reference.npos ? name : reference.find('/', name);
  if (slash != reference.npos) all.push_back({.id = reference.substr(0, slash), .key = reference.substr(slash + 1)});
  return all;
}

// "arn:aws:secretsmanager:<region>:<account>:secret:<name>"
std::string region_in(const std::string& id) {
  const auto parts = split(id, ':');
  return is_arn(id) && parts.size() > 3 ? std::string(parts[3]) : "";
}

Result<Secret> value_of(const Secret& text, const std::optional<std::string>& key) {
  if (!key) return text;
  const auto json = parse_json(text.reveal());
  const auto* object = json ? json->if_object() : nullptr;
  if (object == nullptr) return fail(Kind::invalid, "the secret is no JSON object");
  const auto* value = object->if_contains(*key);
  if (value == nullptr)
    return fail(Kind::not_found, fmt::format("secret path not found in JSON: {}", printable(*key, 200)));
  return Secret(value->is_string() ? std::string(value->get_string()) : jmes_text(*value));
}

class AwsSm final : public SecretProvider {
 public:
  AwsSm(AwsSettings settings, AwsCredentialSource credentials, SecretHttp http, const Clock& clock)
      : settings_(std::move(settings)), credentials_(std::move(credentials)), http_(http), clock_(clock) {}

  // Each secret once, for all its keys.
  std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline& deadline) override {
    std::map<std::string, Result<Secret>> secrets;  // by id
    std::vector<Result<Secret>> results(references.size(), fail(Kind::not_found, ""));
    for (std::size_t round = 0; round < 2; ++round) {
      std::set<std::string> ids;
      for (std::size_t index = 0; index < references.size(); ++index)
        if (const auto wanted = reading(references[index], results[index], round);
            wanted && !secrets.contains(wanted->id))
          ids.insert(wanted->id);
      const std::vector<std::string> list(ids.begin(), ids.end());
      auto read = for_each_reference(list, [&](const std::string& id) { return get(id, deadline); });
      for (std::size_t i = 0; i < list.size(); ++i) secrets.emplace(list[i], std::move(read[i]));
      for (std::size_t index = 0; index < references.size(); ++index)
        if (const auto wanted = reading(references[index], results[index], round)) {
          const auto& secret = secrets.at(wanted->id);
          results[index] = secret ? value_of(*secret, wanted->key) : secret;
        }
    }
    return results;
  }

 private:
  // What is asked for in that round; nothing if the reference has no such reading or its value is settled.
  static std::optional<Wanted> reading(const std::string& reference, const Result<Secret>& so_far, std::size_t round) {
    auto all = readings(reference);
    const bool is_open = !so_far && so_far.error().kind == Kind::not_found;
    return is_open && round < all.size() ? std::optional(std::move(all[round])) : std::nullopt;
  }

  Result<Secret> get(const std::string& id, const Deadline& deadline) const {
    const auto credentials = credentials_(deadline);
    if (!credentials) return tl::unexpected(credentials.error());
    const auto named = region_in(id);
    const auto& region = named.empty() ? settings_.region : named;
    if (region.empty() || region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != region.npos)
      return fail(Kind::invalid, fmt::format("\"{}\" is not a region of AWS", printable(region, 100)));
    HttpRequest request{
        .method = "POST",
        .url = url_of(region),
        .headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", "secretsmanager.GetSecretValue"}},
        .body = json::serialize(json::object{{"SecretId", id}})};
    sign_for_aws(request, {.region = region, .service = "secretsmanager"}, *credentials, clock_.now());
    const auto response = http_.ask(request, deadline);
    if (response && response->status >= 400) return refusal(request, *response);
    const auto answer = json_answer(request, response);
    if (!answer) return tl::unexpected(answer.error());
    const auto* object = answer->if_object();
    for (const auto* name : {"SecretString", "SecretBinary"})  // the latter in base64 already
      if (const auto* value = object == nullptr ? nullptr : object->if_contains(name); value && value->is_string())
        return Secret(std::string(value->get_string()));
    return fail(Kind::invalid, "the answer holds no SecretString");
  }

  std::string url_of(const std::string& region) const {
    if (!settings_.endpoint_url.empty()) return settings_.endpoint_url + "/";
    const bool is_china = region.starts_with("cn-");
    return fmt::format("https://secretsmanager.{}.amazonaws.com{}/", region, is_china ? ".cn" : "");
  }

  // The type of the error says more than the status, which is 400 for most; its message may quote the request.
  static tl::unexpected<Error> refusal(const HttpRequest& request, const HttpResponse& response) {
    const auto content = parse_json(response.body);
    const auto* object = content ? content->if_object() : nullptr;
    std::string type(object == nullptr ? std::string_view() : text_of(*object, "__type"));
    type = type.substr(type.rfind('#') + 1);
    auto kind = kind_of_status(response.status);
    if (type == "ResourceNotFoundException") kind = Kind::not_found;
    if (type.find("Throttling") != type.npos) kind = Kind::unavailable;
    for (const auto* denied :
         {"AccessDenied", "UnrecognizedClient", "InvalidSignature", "ExpiredToken", "InvalidClientTokenId"})
      if (type.starts_with(denied)) kind = Kind::denied;
    const auto error = json_answer(request, response).error();
    return fail(kind, type.empty() ? error.message : fmt::format("{}: {}", error.message, printable(type, 100)));
  }

  const AwsSettings settings_;
  const AwsCredentialSource credentials_;
  const SecretHttp http_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<SecretProvider> make_aws_sm(const AwsSettings& settings, AwsCredentialSource credentials,
                                            SecretHttp http, const Clock& clock) {
  return std::make_unique<AwsSm>(settings, std::move(credentials), http, clock);
}

}  // namespace windlass
