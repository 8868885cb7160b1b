// What docker compose writes to standard error, made fit for a message or a log line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace windlass {

// Values that must not be shown. Those under 6 bytes are left: they would mask ordinary words.
class Masks {
 public:
  void add(std::string_view value);
  std::string apply(std::string text) const;

 private:
  std::vector<std::string> values_;  // the longest first: one may be part of another
};

// What went wrong in the tool's own words: progress and warnings dropped, repeats too, the end of it if it is long,
// lines joined by "; ". Empty when nothing is left.
std::string error_text(std::string_view standard_error);

// The texts of the tool's warnings.
std::vector<std::string> warnings_in(std::string_view standard_error);

}  // namespace windlass
