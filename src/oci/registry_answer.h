// What a status of a registry means, and how it is told.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/credentials.h"
#include "sys/http_client.h"
#include "sys/url.h"

namespace windlass {

bool is_redirect(int status);

// "GET https://ghcr.io/v2/a/manifests/1: 403 DENIED: … (detail)" with the kind that fits the status. The registry's own
// words, of three errors at most, are shown only if it speaks as a registry does, and never the query of a URL
// (oci 3.4, reliability/T6).
Error status_error(std::string_view method, const Url& url, const HttpResponse& response);

// What goes behind a 401 or 403, which do not tell a forgotten login from a wrong one: "; no credentials for … are
// known: docker login …" and its like. `credential` is what was shown, or would have been.
std::string login_advice(std::string_view registry, const Credential& credential);

// A 404 that is about the repository as a whole (NAME_UNKNOWN), not about one thing in it.
bool knows_no_repository(const HttpResponse& response);

// Takes out of a refusal what it repeats of the credentials that the request showed: its words may be shown (P18).
void hide_credentials(const HttpRequest& request, HttpResponse& response);

}  // namespace windlass
