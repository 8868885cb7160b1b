// YAML of strangers as a plain tree (config 3, reliability 8).
//
// Anchors, aliases and merge keys are resolved while reading, under a budget: an alias shares the node it names, so a
// file that repeats itself a billion times costs what is written in it and is refused within milliseconds. Tags
// construct nothing. Scalars stay text as written; what a field makes of them is for the reader of the field.
//
// Not here: types, key names, files.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace windlass {

constexpr std::uint64_t kYamlBytesMax = 1 << 20;  // 1 MiB (reliability 2)
constexpr std::size_t kYamlDepthMax = 10'000;
constexpr std::uint64_t kYamlNodesMax = 100'000;  // in a file, what aliases repeat counted each time
constexpr std::size_t kYamlDocumentsMax = 1'000;

struct YamlNode;

struct YamlEntry {
  std::string key;
  int line = 0;  // of the key, from 1
  const YamlNode* value = nullptr;
};

struct YamlNode {
  enum class Kind { scalar, sequence, mapping };

  Kind kind = Kind::scalar;
  std::string text;                    // of a scalar
  bool quoted = false;                 // in quotes, a block scalar, or tagged !!str: text whatever it looks like
  int line = 0, column = 0;            // from 1; of an alias: where its anchor stands
  std::vector<const YamlNode*> items;  // of a sequence
  std::vector<YamlEntry> entries;      // of a mapping: as written, then what was merged into it; no key twice
  std::uint64_t weight = 1;            // nodes in this tree, itself included

  bool is_null() const;  // nothing, ~, null, Null, NULL; not quoted
  // The entry of that key, or null.
  const YamlEntry* find(std::string_view key) const;
};

// The documents of one file, empty ones left out. Owns the nodes; the roots point into it.
struct YamlFile {
  std::deque<YamlNode> nodes;
  std::vector<const YamlNode*> documents;

  YamlFile() = default;
  YamlFile(YamlFile&&) = default;
  YamlFile& operator=(YamlFile&&) = default;
};

// Which tags may stand in a file beside those that change nothing (!!str and its kin).
enum class YamlTags { none, compose };  // compose: !reset and !override, by which its files undo one another

// Errors read "<file>:<line>:<column>: <fault>".
Result<YamlFile> parse_yaml(std::string_view text, std::string_view file, YamlTags tags = YamlTags::none);

}  // namespace windlass
