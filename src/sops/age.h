// age, version 1 (https://age-encryption.org/v1), as far as SOPS uses it: X25519 recipients, a payload of one chunk.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace windlass::sops {

// "AGE-SECRET-KEY-1…". Nothing when it is none or its check sum is wrong.
class AgeIdentity {
 public:
  static std::optional<AgeIdentity> parse(std::string_view text);

  const Secret& scalar() const { return scalar_; }
  const std::string& point() const { return point_; }
  std::string recipient() const;  // "age1…"

 private:
  AgeIdentity(Secret scalar, std::string point) : scalar_(std::move(scalar)), point_(std::move(point)) {}
  Secret scalar_;
  std::string point_;
};

// What a file of identities holds, or SOPS_AGE_KEY (Q30a).
struct AgeKeys {
  std::vector<AgeIdentity> identities;
  std::vector<std::string> unread;  // "a plugin identity", …: what only sops can use, or nobody
};
AgeKeys read_age_keys(std::string_view text);

// The content of an armored age file. Kind::denied when none of the identities is one of its recipients, Kind::invalid
// when it is damaged.
Result<Secret> open_age_file(std::string_view armored, const std::vector<AgeIdentity>& identities);

}  // namespace windlass::sops
