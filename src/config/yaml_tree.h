// Builds the tree of a YAML file from the events of a parser; knows anchors, merge keys and the limits, not the parser.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/yaml.h"

namespace windlass {

class YamlTree {
 public:
  struct Start {  // of a node
    std::string anchor, tag;
    int line = 0, column = 0;
  };

  YamlTree(std::string_view file, YamlTags tags) : file_name_(file), tags_(tags) {}

  // Each returns an error that names file, line and column when the file must be refused.
  Status begin_document(int line);
  Status scalar(const Start& start, std::string text, bool quoted);
  Status begin_collection(const Start& start, YamlNode::Kind kind);
  Status end_collection();
  Status alias(const std::string& anchor, int line, int column);

  YamlFile take() { return std::move(file_); }

 private:
  struct Key {
    std::string text;
    int line, column;
  };
  struct Open {  // a collection that is being read
    YamlNode* node;
    std::string anchor;
    std::optional<Key> key;               // waits for its value
    std::map<std::string, int> lines;     // of the keys so far
    std::vector<const YamlNode*> merged;  // values of "<<"
  };

  Result<YamlNode*> make_node(const Start& start, YamlNode::Kind kind);
  Status place(const YamlNode* node, bool is_merge_key, int line, int column);
  Status place_key(const YamlNode* node, bool is_merge_key, int line, int column);
  Status merge(Open& mapping, const YamlNode& from);
  Status charge(std::uint64_t nodes, bool by_alias, int line, int column);
  tl::unexpected<Error> refuse(int line, int column, std::string_view fault) const;

  std::string file_name_;
  YamlTags tags_;
  YamlFile file_;
  std::vector<Open> open_;
  std::map<std::string, const YamlNode*> anchors_;  // null while the node is still open
  std::uint64_t nodes_ = 0;
  std::size_t documents_ = 0;
};

}  // namespace windlass
