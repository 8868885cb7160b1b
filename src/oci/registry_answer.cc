#include "oci/registry_answer.h"

#include <fmt/format.h>

#include "base/text.h"
#include "oci/retry.h"
#include "sys/json.h"

namespace windlass {
namespace {

// "DENIED: requested access is denied" from {"errors":[…]}; "" for any other body: it is not a registry's (T6).
std::string registry_message(std::string_view body) {
  const auto value = parse_json(body);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* errors = object ? array_of(*object, "errors") : nullptr;
  if (!errors || errors->empty() || !errors->front().is_object()) return {};
  const auto& first = errors->front().get_object();
  const auto code = printable(text_of(first, "code"), 64), message = printable(text_of(first, "message"), 256);
  return code + (code.empty() || message.empty() ? "" : ": ") + message;
}

Kind kind_of(int status) {
  if (status == 401 || status == 403) return Kind::denied;
  if (status == 404) return Kind::not_found;
  return status >= 500 || is_worth_a_retry(status) ? Kind::unavailable : Kind::invalid;
}

}  // namespace

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error status_error(std::string_view method, const Url& url, const HttpResponse& response) {
  const auto said = registry_message(response.body);
  return {kind_of(response.status),
          fmt::format("{} {}: {}{}{}", method, url.shown(), response.status, said.empty() ? "" : " ", said)};
}

}  // namespace windlass
