// "Link" of an answer that has more pages (RFC 8288; distribution-spec 1.1, "Listing Referrers").
#pragma once

#include <optional>
#include <string>

#include "sys/http_client.h"

namespace windlass {

// The target of rel="next" as it is written there, nothing if there is none.
std::optional<std::string> next_page_of(const HttpResponse& response);

}  // namespace windlass
