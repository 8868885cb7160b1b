// Reads variables by type and keeps every fault, so that a person sees all of them at once (config 1.1, 1.2, 14 #17).
//
// A variable that is set to the empty string counts as unset. A value that breaks its rule leaves the default in place
// and adds a fault that names variable, value and rule; the value of a secret is never shown.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "config/settings.h"

namespace windlass {

class SettingReader {
 public:
  // `decrypt`: of files; without it an encrypted one is a fault.
  explicit SettingReader(const Environment& environment, Decrypt decrypt = {})
      : environment_(environment), decrypt_(std::move(decrypt)) {}

  bool is_set(const std::string& name) const { return !text(name).empty(); }
  // As written; "" when unset.
  std::string text(const std::string& name) const;
  std::vector<std::string> list(const std::string& name) const;

  struct Range {
    std::uint64_t least, most;
  };

  // All names whose value was asked for, whether they are set or not.
  const std::set<std::string>& asked_for() const { return asked_for_; }
  // Of the variables that are set.
  std::vector<std::string> names_with_prefix(std::string_view prefix) const;

  // These leave `target` as it is when the variable is unset.
  void flag(const std::string& name, bool& target);
  template <class Number>
  void number(const std::string& name, Range range, Number& target) {
    target = static_cast<Number>(number_or(name, range, target));
  }
  void duration(const std::string& name, std::chrono::milliseconds least, std::chrono::milliseconds& target);

  // NAME, or the trimmed content of the file that NAME_FILE names, in plain text. `both` is the fault when both are
  // given, "" the usual one.
  Secret secret(const std::string& name, std::string_view both = "");
  // The same for what is no secret: a file that everybody may read is fine.
  std::string text_or_file(const std::string& name);

  // The file that `variable` names had this content.
  void note_file(const std::string& variable, std::string_view content);

  void fault(std::string text) { faults_.push_back(std::move(text)); }
  void warn(std::string text) { warnings_.push_back(std::move(text)); }
  std::vector<std::string>& faults() { return faults_; }
  std::vector<std::string>& warnings() { return warnings_; }
  std::map<std::string, std::string>& file_hashes() { return file_hashes_; }

 private:
  std::uint64_t number_or(const std::string& name, Range range, std::uint64_t otherwise);
  std::string value_or_file(const std::string& name, bool is_secret, std::string_view both);
  std::string value_file(const std::string& variable, const std::string& path, bool is_secret);

  const Environment& environment_;
  const Decrypt decrypt_;
  mutable std::set<std::string> asked_for_;
  std::vector<std::string> faults_, warnings_;
  std::map<std::string, std::string> file_hashes_;  // as in Settings
};

// A foreign value as it is shown in a fault: printable, not endless, in double quotes.
std::string shown(std::string_view value);

}  // namespace windlass
