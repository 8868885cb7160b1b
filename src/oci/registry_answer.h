// What a status of a registry means, and how it is told.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sys/http_client.h"
#include "sys/url.h"

namespace windlass {

bool is_redirect(int status);

// "GET https://ghcr.io/v2/a/manifests/1: 403 DENIED: … (detail)" with the kind that fits the status. The registry's own
// words, of three errors at most, are shown only if it speaks as a registry does, and never the query of a URL
// (oci 3.4, reliability/T6).
Error status_error(std::string_view method, const Url& url, const HttpResponse& response);

// A 404 that is about the repository as a whole (NAME_UNKNOWN), not about one thing in it.
bool knows_no_repository(const HttpResponse& response);

// Takes out of a refusal what it repeats of the credentials that the request showed: its words may be shown (P18).
void hide_credentials(const HttpRequest& request, HttpResponse& response);

}  // namespace windlass
