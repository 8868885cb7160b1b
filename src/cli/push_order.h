// What `windlass push` is asked for, as values: what is wrong with it is known before anything is read or sent.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/announcement.h"
#include "cli/push.h"
#include "oci/reference.h"
#include "sigstore/signing.h"

namespace windlass {

struct PushOrder {
  Reference reference;
  std::vector<Reference> names;  // one for each tag, that of the reference first
  std::map<std::string, std::string> annotations;
  std::optional<SigningKey> key;
  std::optional<Announcement> announcement;
};

// Reads the key and the secrets; the first fault.
Result<PushOrder> push_order(const PushCommand& command, const Environment& environment);

}  // namespace windlass
