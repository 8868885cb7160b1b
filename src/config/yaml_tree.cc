#include "config/yaml_tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::string_view kMergeKey = "<<";
constexpr std::string_view kStandardTags = "tag:yaml.org,2002:";

// Whether a node of that kind may carry the tag. The standard tags of scalars say nothing new: the field decides.
bool is_harmless_tag(std::string_view tag, YamlNode::Kind kind) {
  if (tag.empty() || tag == "!") return true;
  if (!tag.starts_with(kStandardTags)) return false;
  tag.remove_prefix(kStandardTags.size());
  switch (kind) {
    case YamlNode::Kind::mapping:
      return tag == "map";
    case YamlNode::Kind::sequence:
      return tag == "seq";
    case YamlNode::Kind::scalar:
      return tag == "str" || tag == "int" || tag == "float" || tag == "bool" || tag == "null" || tag == "merge";
  }
  return false;
}

bool is_text_tag(std::string_view tag) { return tag == "!" || tag == "tag:yaml.org,2002:str"; }

}  // namespace

Status YamlTree::begin_document(int line) {
  anchors_.clear();
  if (++documents_ > kYamlDocumentsMax)
    return refuse(line, 1, fmt::format("more than {} documents", kYamlDocumentsMax));
  return {};
}

Status YamlTree::scalar(const Start& start, std::string text, bool quoted) {
  // written as "\\0"; no name, path or variable can hold it
  if (text.find('\0') != text.npos) return refuse(start.line, start.column, "NUL in a value");
  // The file is; libfyaml 0.7 misreads some block scalars at the end of a document.
  if (!is_valid_utf8(text)) return refuse(start.line, start.column, "a value that cannot be read as UTF-8");
  auto node = make_node(start, YamlNode::Kind::scalar);
  if (!node) return tl::unexpected(node.error());
  const bool is_merge_key = !quoted && text == kMergeKey;
  (*node)->text = std::move(text);
  (*node)->quoted = quoted || is_text_tag(start.tag);
  if (!start.anchor.empty()) anchors_[start.anchor] = *node;
  return place(*node, is_merge_key, start.line, start.column);
}

Status YamlTree::begin_collection(const Start& start, YamlNode::Kind kind) {
  if (open_.size() >= kYamlDepthMax)
    return refuse(start.line, start.column, fmt::format("nested deeper than {} levels", kYamlDepthMax));
  if (!open_.empty() && open_.back().node->kind == YamlNode::Kind::mapping && !open_.back().key)
    return refuse(start.line, start.column, "a mapping key must be text");
  auto node = make_node(start, kind);
  if (!node) return tl::unexpected(node.error());
  if (!start.anchor.empty()) anchors_[start.anchor] = nullptr;
  open_.push_back({.node = *node, .anchor = start.anchor});
  return {};
}

Status YamlTree::end_collection() {
  Open closed = std::move(open_.back());
  open_.pop_back();
  for (const auto* from : closed.merged)
    if (auto merged = merge(closed, *from); !merged) return merged;
  auto& node = *closed.node;
  for (const auto* item : node.items) node.weight += item->weight;
  for (const auto& entry : node.entries) node.weight += entry.value->weight;
  if (!closed.anchor.empty()) anchors_[closed.anchor] = &node;
  return place(&node, false, node.line, node.column);
}

Status YamlTree::alias(const std::string& anchor, int line, int column) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end())
    return refuse(line, column, fmt::format("unknown anchor '{}' referenced", printable(anchor, 100)));
  if (found->second == nullptr)
    return refuse(line, column, fmt::format("anchor '{}' value contains itself", printable(anchor, 100)));
  if (auto charged = charge(found->second->weight, true, line, column); !charged) return charged;
  return place(found->second, false, line, column);
}

Result<YamlNode*> YamlTree::make_node(const Start& start, YamlNode::Kind kind) {
  const bool is_compose_tag = tags_ == YamlTags::compose && (start.tag == "!reset" || start.tag == "!override");
  if (!is_compose_tag && !is_harmless_tag(start.tag, kind))
    return refuse(start.line, start.column, fmt::format("tag \"{}\" is not supported", printable(start.tag, 100)));
  if (auto charged = charge(1, false, start.line, start.column); !charged) return tl::unexpected(charged.error());
  file_.nodes.push_back({.kind = kind, .line = start.line, .column = start.column});
  return &file_.nodes.back();
}

// Puts a finished node where it belongs: into the innermost open collection, or at the top.
Status YamlTree::place(const YamlNode* node, bool is_merge_key, int line, int column) {
  if (open_.empty()) {
    if (!node->is_null()) file_.documents.push_back(node);
    return {};
  }
  auto& parent = open_.back();
  if (parent.node->kind == YamlNode::Kind::sequence) {
    parent.node->items.push_back(node);
    return {};
  }
  if (!parent.key) return place_key(node, is_merge_key, line, column);

  const Key key = std::move(*parent.key);
  parent.key.reset();
  if (key.text != kMergeKey) {
    parent.node->entries.push_back({.key = key.text, .line = key.line, .value = node});
    return {};
  }
  const bool is_list = node->kind == YamlNode::Kind::sequence;
  const auto sources = is_list ? node->items : std::vector<const YamlNode*>{node};
  for (const auto* source : sources)
    if (source->kind != YamlNode::Kind::mapping)
      return refuse(key.line, key.column, "a merge key takes a mapping or a list of mappings");
  parent.merged.insert(parent.merged.end(), sources.begin(), sources.end());
  return {};
}

Status YamlTree::place_key(const YamlNode* node, bool is_merge_key, int line, int column) {
  if (node->kind != YamlNode::Kind::scalar) return refuse(line, column, "a mapping key must be text");
  auto& parent = open_.back();
  const auto [first, is_new] = parent.lines.emplace(node->text, line);
  if (!is_new)
    return refuse(
        line, column,
        fmt::format("mapping key \"{}\" already defined at line {}", printable(node->text, 100), first->second));
  if (node->text == kMergeKey && !is_merge_key) return refuse(line, column, "a quoted \"<<\" is not a usable key");
  parent.key = Key{node->text, line, column};
  return {};
}

// Keys that stand in the mapping itself, or came by an earlier merge, win.
Status YamlTree::merge(Open& mapping, const YamlNode& from) {
  if (auto charged = charge(from.entries.size() + 1, true, mapping.node->line, mapping.node->column); !charged)
    return charged;
  for (const auto& entry : from.entries)
    if (mapping.lines.emplace(entry.key, entry.line).second) mapping.node->entries.push_back(entry);
  return {};
}

Status YamlTree::charge(std::uint64_t nodes, bool by_alias, int line, int column) {
  nodes_ += nodes;
  if (nodes_ <= kYamlNodesMax) return {};
  return refuse(line, column,
                by_alias ? fmt::format("excessive aliasing: more than {} nodes", kYamlNodesMax)
                         : fmt::format("more than {} nodes", kYamlNodesMax));
}

tl::unexpected<Error> YamlTree::refuse(int line, int column, std::string_view fault) const {
  return fail(Kind::invalid, fmt::format("{}:{}:{}: {}", file_name_, line, column, fault));
}

}  // namespace windlass
