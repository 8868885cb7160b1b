// Whether a signature makes an artifact trusted, and why: the steps that were taken, for people to read.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace windlass {

struct TrustStep {
  std::string rule;   // of the policy: "key SHA256:…", "identity <issuer> <subject>"; "" for what every rule needs
  std::string check;  // what was looked at: "signature", "signed digest", "certificate chain"
  bool passed = false;
  std::string detail;  // passed: what was found; else what was wanted and what was found. Foreign text is printable
};

struct Verdict {
  bool trusted = false;
  std::string by;  // the rule that passed; "" otherwise
  std::vector<TrustStep> steps;

  // The steps that failed in one line, "key SHA256:…: signature: …; …"; "" when trusted.
  std::string reason() const;
};

// Writes down the steps of one rule.
class Steps {
 public:
  Steps(Verdict& verdict, std::string rule) : verdict_(verdict), rule_(std::move(rule)) {}

  // One step: `outcome` holds the detail or says why not. Tells whether it passed.
  bool take(std::string_view check, const Result<std::string>& outcome);
  // The same for a step that yields a value.
  template <class T>
  bool take(std::string_view check, const Result<T>& outcome, std::string detail) {
    if (!outcome) return take(check, Result<std::string>(tl::unexpected(outcome.error())));
    return take(check, Result<std::string>(std::move(detail)));
  }
  // Every step passed: the artifact is trusted by this rule.
  void trust();

 private:
  Verdict& verdict_;
  std::string rule_;
};

}  // namespace windlass
