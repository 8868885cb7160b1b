#include "secrets/webhook_provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "secrets/jmespath.h"
#include "secrets/jmespath_functions.h"
#include "secrets/webhook_stores.h"
#include "sys/query.h"
#include "sys/url.h"

namespace windlass {
namespace {

using Record = TemplateValue::Record;

TemplateValue template_value(const json::value& value) {
  if (value.is_bool()) return value.get_bool();
  if (const auto* number = value.if_int64()) return *number;
  if (const auto* number = value.if_uint64()) return std::to_string(*number);
  if (const auto* number = value.if_double()) return *number;
  if (const auto* text = value.if_string()) return std::string_view(*text);
  if (const auto* items = value.if_array()) {
    TemplateValue::List list;
    for (const auto& item : *items) list.push_back(template_value(item));
    return list;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return {};
  Record record;
  for (const auto& member : *object) record.fields.emplace_back(member.key(), template_value(member.value()));
  return record;
}

// V1.7: values must not become part of the URL's own structure: they are encoded, and those that would ask for another
// path of the store are found. `/item/` with nothing behind it is the list of all items.
class EscapedForUrl {
 public:
  std::string escape(std::string_view before, std::string value, bool is_encoded) {
    const bool is_in_path = before.find('?') == before.npos;
    leaves_gap_ = leaves_gap_ || (is_in_path && value.empty() && before.ends_with('/'));
    return is_encoded ? value : url_encode(value);
  }
  Status check(std::string_view url) const {
    if (leaves_gap_) return fail(Kind::invalid, "a value that is a part of its path is empty");
    const auto path = url.substr(0, url.find_first_of("?#"));
    return has_dot_segment(path) ? fail(Kind::invalid, "\".\" and \"..\" cannot be parts of its path") : Status();
  }

 private:
  bool leaves_gap_ = false;
};

// In which of JMESPath's quotes a text ends.
struct OpenQuote {
  char mark = 0;  // 0: in none
  bool is_behind_backslash = false;
  bool is_in_json_string = false;  // of a literal between backticks
};

OpenQuote open_quote(std::string_view text) {
  OpenQuote open;
  for (const char c : text) {
    if (open.is_behind_backslash)
      open.is_behind_backslash = false;
    else if (open.mark != 0 && c == '\\')
      open.is_behind_backslash = true;
    else if (open.mark != 0 && c == open.mark)
      open = {};
    else if (open.mark == '`' && c == '"')
      open.is_in_json_string = !open.is_in_json_string;
    else if (open.mark == 0 && (c == '\'' || c == '"' || c == '`'))
      open.mark = c;
  }
  return open;
}

// V1.7: a value that stands in quotes must not end them. JMESPath takes the sign behind a backslash for no end, and
// knows no way to write a backslash itself but between double quotes.
class EscapedForPath {
 public:
  std::string escape(std::string_view before, std::string value) {
    const auto quote = open_quote(before);
    if (quote.mark == 0) return value;
    if (quote.is_behind_backslash) fault_ = "a value cannot stand behind a backslash";
    if (quote.mark == '"') {
      const auto text = json::serialize(json::value(value));
      return text.substr(1, text.size() - 2);
    }
    if (value.find('\\') != value.npos)
      fault_ = fmt::format("a value with a backslash cannot stand between {0} and {0}", quote.mark);
    if (quote.is_in_json_string && value.find('"') != value.npos)
      fault_ = "a value with a double quote cannot stand in a string between ` and `";
    std::string escaped;
    for (const char c : value) {
      if (c == quote.mark) escaped += '\\';
      escaped += c;
    }
    return escaped;
  }
  Status check() const { return fault_.empty() ? Status() : fail(Kind::invalid, fault_); }

 private:
  std::string fault_;
};

void put_header(std::vector<HttpHeader>& headers, std::string name, std::string value) {
  std::erase_if(headers, [&](const HttpHeader& header) { return same_name(header.name, name); });
  headers.push_back({std::move(name), std::move(value)});
}

class WebhookProvider final : public SecretProvider {
 public:
  WebhookProvider(WebhookStoreSettings settings, WebhookStores stores, SecretHttp http)
      : settings_(std::move(settings)), stores_(std::move(stores)), http_(http) {}

  std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline& deadline) override {
    return for_each_reference(references, [&](const std::string& reference) { return fetch(reference, deadline); });
  }

 private:
  Result<Secret> fetch(const std::string& reference, const Deadline& deadline) const {
    const auto value = parse_json(reference);
    if (!value || !value->is_object())
      return fail(Kind::invalid, "webhook provider no longer supports string external_secrets references");
    const auto& wanted = value->get_object();
    const std::string name(text_of(wanted, "store_ref"));
    const auto store = stores_.find(name);
    if (store == stores_.end())
      return fail(Kind::invalid, "unknown webhook secret store reference: " + printable(name, 100));
    static const json::object nothing;
    const auto* remote = object_of(wanted, "remote_ref");
    auto secret = fetch(store->second, remote == nullptr ? nothing : *remote, name, deadline);
    if (secret) return secret;
    return while_doing(fmt::format("store \"{}\"", printable(name, 100)), secret.error());
  }

  Result<Secret> fetch(const WebhookStore& store, const json::object& remote, const std::string& name,
                       const Deadline& deadline) const {
    std::vector<std::string> missing;
    for (const auto& field : store.required)
      if (!remote.contains(field)) missing.push_back(field);
    if (!missing.empty())
      return fail(Kind::invalid, fmt::format("missing required remote_ref field for store \"{}\": [{}]",
                                             printable(name, 100), join(missing, " ")));
    const TemplateValue data = Record{.fields = {{"remote_ref", template_value(remote)}, {"auth", auth()}}, .text = ""};
    auto request = request_of(store, data);
    if (!request) return tl::unexpected(request.error());
    const auto path = path_of(store, data);
    if (!path) return tl::unexpected(path.error());
    const auto url = request->url;
    const auto response = http_.ask(*std::move(request), deadline);
    if (!response) return without_path(response.error(), url);
    return secret_in(*response, *path);
  }

  TemplateValue auth() const {
    return Record{.fields = {{"username", settings_.username.reveal()},
                             {"password", settings_.password.reveal()},
                             {"token", settings_.token.reveal()},
                             {"api_key", settings_.api_key.reveal()}},
                  .text = ""};
  }

  static Result<HttpRequest> request_of(const WebhookStore& store, const TemplateValue& data) {
    HttpRequest request{.method = store.method, .headers = {{"Accept", "application/json"}}};
    EscapedForUrl escaped;
    const TemplateEscape escape = [&](std::string_view before, std::string value, bool is_encoded) {
      return escaped.escape(before, std::move(value), is_encoded);
    };
    const auto url = store.url.render(data, store.is_raw ? nullptr : escape);
    if (!url) return while_doing("url", url.error());
    if (!store.is_raw)
      if (auto checked = escaped.check(*url); !checked) return while_doing("url", checked.error());
    const auto parsed = parse_url(*url);
    if (!parsed) return while_doing("url", parsed.error());
    request.url = *url;
    if (store.body) {
      auto body = store.body->render(data);
      if (!body) return while_doing("body", body.error());
      request.body = *std::move(body);
      put_header(request.headers, "Content-Type", "application/json; charset=utf-8");
    }
    for (const auto& [header, value] : store.headers) {
      auto text = value.render(data);
      if (!text) return while_doing("header " + header, text.error());
      put_header(request.headers, header, *std::move(text));
    }
    return request;
  }

  static Result<JmesPath> path_of(const WebhookStore& store, const TemplateValue& data) {
    EscapedForPath escaped;
    const auto text = store.json_path.render(data, [&](std::string_view before, std::string value, bool) {
      return escaped.escape(before, std::move(value));
    });
    if (!text) return while_doing("json_path", text.error());
    if (auto checked = escaped.check(); !checked) return while_doing("json_path", checked.error());
    if (trim(*text).empty()) return fail(Kind::invalid, "rendered an empty json_path");
    auto path = JmesPath::parse(*text);
    if (!path) return while_doing("json_path", path.error());
    return path;
  }

  // The path may hold what templates put into it, credentials too.
  static tl::unexpected<Error> without_path(Error error, const std::string& rendered) {
    const auto url = parse_url(rendered);
    if (!url || url->path == "/") return tl::unexpected(std::move(error));
    for (auto at = error.message.find(url->path); at != std::string::npos; at = error.message.find(url->path, at))
      error.message.replace(at, url->path.size(), "/…");
    return tl::unexpected(std::move(error));
  }

  static Result<Secret> secret_in(const HttpResponse& response, const JmesPath& path) {
    if (response.status >= 400)
      return fail(kind_of_status(response.status),
                  fmt::format("webhook request failed with status {}", response.status));
    const auto answer = parse_json(response.body);
    if (!answer) return fail(Kind::invalid, "the answer is not JSON");
    auto found = path.search(*answer);
    if (!found) return while_doing("json_path", found.error());
    const auto* value = &*found;
    if (const auto* items = value->if_array(); items != nullptr && !items->empty()) value = &items->front();
    if (value->is_string()) return Secret(std::string(value->get_string()));
    if (value->is_bool() || jmes_number(*value)) return Secret(jmes_text(*value));
    return fail(found->is_null() ? Kind::not_found : Kind::invalid,
                fmt::format("JMESPath query did not yield a string but a {}", jmes_type(*found)));
  }

  const WebhookStoreSettings settings_;
  const WebhookStores stores_;
  const SecretHttp http_;
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> make_webhook_provider(const WebhookStoreSettings& settings, SecretHttp http) {
  auto stores = read_webhook_stores(settings.stores.reveal());
  if (!stores) return while_doing("SECRET_PROVIDER_WEBHOOK_STORES", stores.error());
  return std::make_unique<WebhookProvider>(settings, *std::move(stores), http);
}

}  // namespace windlass
