// Reads typed values out of one mapping of a deploy configuration (config 3), keeps every fault, and knows afterwards
// which keys nobody asked for.
//
// A key with null keeps its default, except lists and maps: they become empty. Faults read
// "<file>:<line>: <key>: <fault>", without the line where the mapping was not a file.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml.h"

namespace windlass {

// What a fault begins with when a value has the wrong type (doco-cd's own words).
inline const std::string kUndecodable = "failed to decode yaml: ";

class KeyReader {
 public:
  // `faults` outlives the reader.
  KeyReader(const YamlNode& mapping, std::string_view file, std::vector<std::string>& faults)
      : mapping_(mapping), file_(file), faults_(faults) {}

  // Each leaves `target` alone when the key is absent or its value has the wrong type.
  void text(const std::string& key, std::string& target);
  void flag(const std::string& key, bool& target);
  void integer(const std::string& key, int& target);
  void list(const std::string& key, std::vector<std::string>& target);
  void map(const std::string& key, std::map<std::string, std::string>& target);

  // The value of the key, or null; the key counts as known from now on.
  const YamlNode* take(const std::string& key);
  bool has(const std::string& key) const { return mapping_.find(key) != nullptr; }

  // A fault at that key; at the start of the mapping when it is absent.
  void fault(const std::string& key, std::string_view text);
  // The same for a value that cannot be what the key is for.
  void undecodable(const std::string& key, std::string_view text);
  // "expected …, got …"
  void wrong_type(const std::string& key, std::string_view expected, const YamlNode& got);

  // "<file>:<line>: <key>"
  std::string place(const std::string& key) const;

  // One line for each key that was not asked for: "<file>:<line>: unknown key "x", did you mean "y"?"
  std::vector<std::string> unknown_keys() const;

 private:
  std::optional<std::string> item_text(const std::string& key, const YamlNode& item, std::string_view expected);
  std::string place_of(int line) const;

  const YamlNode& mapping_;
  std::string file_;
  std::vector<std::string>& faults_;
  std::set<std::string> known_;
};

// The typed readings of a scalar (config 3); nothing when it is not one.
std::optional<bool> yaml_bool(const YamlNode& node);
std::optional<long long> yaml_integer(const YamlNode& node);

}  // namespace windlass
