#include "secrets/webhook_stores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "config/key_reader.h"
#include "config/yaml.h"
#include "secrets/jmespath.h"

namespace windlass {
namespace {

constexpr std::string_view kFile = "SECRET_PROVIDER_WEBHOOK_STORES";
constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::string_view kRemote = ".remote_ref.";

bool is_word(unsigned char c) { return std::isalnum(c) || c == '_'; }

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// V1.5: every ".remote_ref.<word>", wherever it stands.
void add_required(std::string_view text, std::set<std::string>& required) {
  for (auto at = text.find(kRemote); at != text.npos; at = text.find(kRemote, at + 1)) {
    const auto rest = text.substr(at + kRemote.size());
    const auto end = std::ranges::find_if_not(rest, is_word);
    if (end != rest.begin()) required.emplace(rest.begin(), end);
  }
}

// V1.3: what a template may ask for. A name that is none would be found by the first deployment only.
TemplateValue sample_of(const std::set<std::string>& required) {
  using Record = TemplateValue::Record;
  Record remote, auth;
  for (const auto& field : required) remote.fields.emplace_back(field, std::string("x"));
  for (const auto* field : {"username", "password", "token", "api_key"})
    auth.fields.emplace_back(field, std::string("x"));
  return Record{.fields = {{"remote_ref", std::move(remote)}, {"auth", std::move(auth)}}, .text = ""};
}

class Reader {
 public:
  Result<WebhookStores> read(std::string_view yaml) {
    const auto file = parse_yaml(yaml, kFile);
    if (!file) return tl::unexpected(file.error());
    for (const auto* document : file->documents) read_document(*document);
    if (stores_.empty() && faults_.empty()) faults_.push_back("no stores found in webhook store configuration");
    if (!faults_.empty()) return fail(Kind::invalid, join(faults_, "; "));
    return std::move(stores_);
  }

 private:
  void read_document(const YamlNode& document) {
    if (document.kind != YamlNode::Kind::mapping) return;
    const auto* stores = document.find("stores");
    if (stores == nullptr) {
      if (document.find("url") != nullptr || document.find("json_path") != nullptr) read_store(document, "");
    } else if (stores->value->kind == YamlNode::Kind::mapping) {
      for (const auto& entry : stores->value->entries) read_store(*entry.value, entry.key);
    } else {
      for (const auto* item : stores->value->items) read_store(*item, "");
    }
  }

  void read_store(const YamlNode& node, std::string name) {
    if (node.kind != YamlNode::Kind::mapping) return faults_.push_back("a store is written as a mapping");
    KeyReader read(node, kFile, faults_);
    read.text("name", name);
    if (name.empty()) return faults_.push_back("store name is required when using list format");
    store_ = fmt::format("store \"{}\"", printable(name, 100));
    std::string version = "v1";
    read.text("version", version);
    if (version != "v1") fault(fmt::format("unsupported version \"{}\": must be v1", printable(version, 100)));

    std::set<std::string> required;
    const auto method = read_method(read);
    auto url = read_template(read, "url", true, required);
    auto json_path = read_template(read, "json_path", true, required);
    auto body = read_template(read, "body", false, required);
    auto headers = read_headers(read, required);
    bool is_raw = false;
    read.flag("raw", is_raw);
    if (body && (method == "GET" || method == "DELETE")) fault(fmt::format("body is not allowed with {}", method));
    for (const auto& unknown : read.unknown_keys()) faults_.push_back(unknown);
    if (!url || !json_path) return;
    WebhookStore store{.method = method,
                       .url = *std::move(url),
                       .json_path = *std::move(json_path),
                       .headers = std::move(headers),
                       .body = std::move(body),
                       .is_raw = is_raw,
                       .required = std::move(required)};
    if (!stores_.emplace(name, std::move(store)).second)
      faults_.push_back(fmt::format("duplicate store \"{}\"", printable(name, 100)));
  }

  std::string read_method(KeyReader& read) {
    std::string method = "GET";
    read.text("method", method);
    method = upper(std::string(trim(method)));
    if (std::ranges::find(kMethods, method) == std::end(kMethods))
      fault(fmt::format("unsupported method \"{}\"", printable(method, 100)));
    return method;
  }

  std::optional<Template> read_template(KeyReader& read, const std::string& key, bool is_needed,
                                        std::set<std::string>& required) {
    std::string text;
    read.text(key, text);
    if (text.empty()) {
      if (is_needed) fault(fmt::format("{} is required", key));
      return std::nullopt;
    }
    return parsed(key, text, required);
  }

  std::optional<Template> parsed(const std::string& key, const std::string& text, std::set<std::string>& required) {
    auto made = Template::parse(text, TemplateDialect::request);
    if (!made) {
      fault(fmt::format("{}: {}", key, made.error().message));
      return std::nullopt;
    }
    add_required(text, required);
    // Of a sample: what else may be wrong with it depends on the values.
    if (const auto tried = made->render(sample_of(required));
        !tried && tried.error().message.ends_with("in struct") &&
        tried.error().message.find("no field") != std::string::npos)
      fault(fmt::format("{}: {}: templates know .remote_ref and, of .auth, username, password, token and api_key", key,
                        tried.error().message));
    if (key == "json_path" && text.find("{{") == text.npos)
      if (const auto path = JmesPath::parse(text); !path) fault(fmt::format("json_path: {}", path.error().message));
    return *std::move(made);
  }

  std::vector<std::pair<std::string, Template>> read_headers(KeyReader& read, std::set<std::string>& required) {
    std::vector<std::pair<std::string, Template>> headers;
    std::map<std::string, std::string> given;
    read.map("headers", given);
    for (const auto& [name, text] : given)
      if (auto made = parsed("header " + printable(name, 100), text, required))
        headers.emplace_back(name, *std::move(made));
    return headers;
  }

  void fault(std::string_view text) { faults_.push_back(fmt::format("{}: {}", store_, text)); }

  WebhookStores stores_;
  std::vector<std::string> faults_;
  std::string store_;  // that is being read
};

}  // namespace

Result<WebhookStores> read_webhook_stores(std::string_view yaml) { return Reader().read(yaml); }

}  // namespace windlass
