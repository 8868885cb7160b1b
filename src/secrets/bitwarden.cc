#include "secrets/bitwarden.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "base/text.h"
#include "secrets/bitwarden_cipher.h"
#include "secrets/login_token.h"
#include "sys/crypto.h"
#include "sys/query.h"

namespace windlass {
namespace {

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

class Bitwarden final : public SecretProvider {
 public:
  Bitwarden(BitwardenSettings settings, BitwardenToken token, SecretHttp http, const Clock& clock)
      : settings_(std::move(settings)),
        account_(std::move(token)),
        account_key_(BitwardenKey::of_account(account_.seed)),
        http_(http),
        token_(clock) {}

  // All in one call. One unknown id is an error for all of them there: then each alone, to tell which it is.
  std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline& deadline) override {
    std::set<std::string> ids;
    for (const auto& reference : references)
      if (is_uuid(reference)) ids.insert(lower(reference));
    const std::vector<std::string> list(ids.begin(), ids.end());
    std::map<std::string, Result<Secret>> values;
    if (!list.empty()) values = read(list, deadline);
    std::vector<Result<Secret>> results;
    for (const auto& reference : references)
      results.push_back(is_uuid(reference)
                            ? values.at(lower(reference))
                            : fail(Kind::invalid, fmt::format("invalid secret reference \"{}\": expected "
                                                              "the UUID of a secret",
                                                              printable(reference, 200))));
    return results;
  }

 private:
  using Values = std::map<std::string, Result<Secret>>;  // by id, in lower case

  Values read(const std::vector<std::string>& ids, const Deadline& deadline) {
    Values values;
    auto answer = ask(ids, deadline);
    const bool is_one_to_blame =
        !answer && ids.size() > 1 && (answer.error().kind == Kind::not_found || answer.error().kind == Kind::invalid);
    if (is_one_to_blame) {
      const auto results = for_each_reference(ids, [&](const std::string& id) { return read({id}, deadline).at(id); });
      for (std::size_t index = 0; index < ids.size(); ++index) values.emplace(ids[index], results[index]);
      return values;
    }
    for (const auto& id : ids)
      values.emplace(id, answer ? Result<Secret>(fail(Kind::not_found, "")) : tl::unexpected(answer.error()));
    if (answer) take_values(*answer, values);
    return values;
  }

  void take_values(const json::value& answer, Values& values) {
    const auto* object = answer.if_object();
    const auto* data = object == nullptr ? nullptr : array_of(*object, "data");
    if (data == nullptr) return;
    const auto key = organisation_key();
    for (const auto& each : *data) {
      const auto* secret = each.if_object();
      if (secret == nullptr) continue;
      const auto found = values.find(lower(text_of(*secret, "id")));
      if (found != values.end())
        found->second = key ? key->decrypt(text_of(*secret, "value")) : tl::unexpected(key.error());
    }
  }

  Result<json::value> ask(const std::vector<std::string>& ids, const Deadline& deadline) {
    HttpRequest request{.method = "POST",
                        .url = settings_.api_url + "/secrets/get-by-ids",
                        .headers = {{"Accept", "application/json"}, {"Content-Type", "application/json"}},
                        .body = json::serialize(json::object{{"ids", json::array(ids.begin(), ids.end())}})};
    const auto response = token_.with([&] { return login(deadline); },
                                      [&](const Secret& token) {
                                        auto call = request;
                                        call.headers.push_back({"Authorization", "Bearer " + token.reveal()});
                                        return http_.ask(std::move(call), deadline);
                                      });
    return json_answer(request, response);
  }

  Result<LoginToken::Token> login(const Deadline& deadline) {
    const auto form = fmt::format("scope=api.secrets&client_id={}&client_secret={}&grant_type=client_credentials",
                                  url_encode(account_.client_id), url_encode(account_.client_secret.reveal()));
    const auto answer = http_.ask_json(
        {.method = "POST",
         .url = settings_.identity_url + "/connect/token",
         .headers = {{"Accept", "application/json"}, {"Content-Type", "application/x-www-form-urlencoded"}},
         .body = form},
        deadline);
    if (!answer) return tl::unexpected(answer.error());
    const auto* object = answer->if_object();
    const auto token = object == nullptr ? std::string_view() : text_of(*object, "access_token");
    if (token.empty()) return fail(Kind::invalid, "the answer holds no access_token");
    if (auto kept = keep_key(text_of(*object, "encrypted_payload")); !kept) return tl::unexpected(kept.error());
    return LoginToken::Token{Secret(std::string(token)), std::chrono::seconds(number_of(*object, "expires_in", 0))};
  }

  // V4.5: the key of the organisation comes with every login, encrypted for the account.
  Status keep_key(std::string_view payload) {
    const auto plain = account_key_.decrypt(payload);
    if (!plain) return while_doing("encrypted_payload", plain.error());
    const auto content = parse_json(plain->reveal());
    const auto* object = content ? content->if_object() : nullptr;
    const auto bytes = object == nullptr ? std::nullopt : base64_decode(text_of(*object, "encryptionKey"));
    auto key = BitwardenKey::from_bytes(bytes.value_or(""));
    if (!key) return while_doing("encrypted_payload", key.error());
    const std::lock_guard lock(mutex_);
    key_ = *std::move(key);
    return {};
  }

  Result<BitwardenKey> organisation_key() {
    const std::lock_guard lock(mutex_);
    return key_ ? Result<BitwardenKey>(*key_) : fail(Kind::internal, "no login has given a key");
  }

  const BitwardenSettings settings_;
  const BitwardenToken account_;
  const BitwardenKey account_key_;
  const SecretHttp http_;
  LoginToken token_;
  std::mutex mutex_;
  std::optional<BitwardenKey> key_;  // of the organisation; guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> make_bitwarden(const BitwardenSettings& settings, SecretHttp http,
                                                       const Clock& clock) {
  auto token = parse_bitwarden_token(settings.access_token.reveal());
  if (!token) return while_doing("SECRET_PROVIDER_ACCESS_TOKEN", token.error());
  return std::make_unique<Bitwarden>(settings, *std::move(token), http, clock);
}

}  // namespace windlass
