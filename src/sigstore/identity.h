// Whether a Fulcio certificate was issued to somebody the policy names (oci 11.5, 12.3 F4).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "sigstore/certificate.h"
#include "sigstore/trust_policy.h"

namespace windlass {

// The rules of a policy's entry: `issuer` and exactly one of `subject` and `subject_regexp`, which compiles.
// Kind::invalid with the field.
Status check_identity(const KeylessIdentity& identity);

// What an operator should hear about an entry that is valid: an expression that matches anywhere in the subject.
std::optional<std::string> identity_warning(const KeylessIdentity& identity);

// "identity <issuer> <subject>": how verdicts name the rule.
std::string name_of(const KeylessIdentity& identity);

// The subject that matched; Kind::denied with what the certificate has instead.
Result<std::string> match_identity(const KeylessIdentity& identity, const Certificate& certificate);

}  // namespace windlass
