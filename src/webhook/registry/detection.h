// Which sender a request is from, by its headers first and its body last (registry-events 3.3).
#pragma once

#include <optional>

#include "model/registry_hook.h"
#include "sys/http_server.h"
#include "sys/json.h"

namespace windlass {

struct Detected {
  enum class Kind {
    registry,  // `format`
    native,    // the signed native payload, or a Git provider: not an adapter's
    unknown,
  };
  Kind kind = Kind::unknown;
  RegistryFormat format = RegistryFormat::distribution;
};

// Has a header that the native handling looks for a signature in.
bool has_native_signature(const ServerRequest& request);

// By the headers alone; nothing: the body must tell.
std::optional<Detected> detect_by_header(const ServerRequest& request);

// `body`: nothing where it is no JSON.
Detected detect_sender(const ServerRequest& request, const std::optional<json::value>& body);

}  // namespace windlass
