#include "secrets/jmespath.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "secrets/jmespath_functions.h"
#include "secrets/jmespath_parser.h"

namespace windlass {
namespace {

using Node = JmesNode;
using Value = json::value;

// JMESPath's truth: all but null, false and what is empty.
bool is_true(const Value& value) {
  if (value.is_string()) return !value.get_string().empty();
  if (value.is_array()) return !value.get_array().empty();
  if (value.is_object()) return !value.get_object().empty();
  return !value.is_null() && value != Value(false);
}

Value compared(JmesComparison comparison, const Value& a, const Value& b) {
  if (comparison == JmesComparison::equal) return jmes_equal(a, b);
  if (comparison == JmesComparison::unequal) return !jmes_equal(a, b);
  const auto left = jmes_number(a), right = jmes_number(b);
  if (!left || !right) return {};  // only numbers have an order
  switch (comparison) {
    case JmesComparison::less:
      return *left < *right;
    case JmesComparison::at_most:
      return *left <= *right;
    case JmesComparison::greater:
      return *left > *right;
    default:
      return *left >= *right;
  }
}

Value element(const Value& value, std::int64_t index) {
  const auto* items = value.if_array();
  if (items == nullptr) return {};
  const auto size = static_cast<std::int64_t>(items->size());
  const auto at = index < 0 ? index + size : index;
  return at < 0 || at >= size ? Value() : (*items)[static_cast<std::size_t>(at)];
}

// As Python cuts lists.
Result<Value> slice(const Value& value, const Node& node) {
  const auto step = node.step.value_or(1);
  if (step == 0) return fail(Kind::invalid, "the step of a slice cannot be 0");
  const auto* items = value.if_array();
  if (items == nullptr) return Value();
  const auto size = static_cast<std::int64_t>(items->size());
  const std::int64_t least = step < 0 ? -1 : 0, most = step < 0 ? size - 1 : size;
  const auto within = [&](std::optional<std::int64_t> at, std::int64_t otherwise) {
    return at ? std::clamp(*at < 0 ? *at + size : *at, least, most) : otherwise;
  };
  const auto start = within(node.start, step < 0 ? most : least), stop = within(node.stop, step < 0 ? least : most);
  json::array part;
  for (auto at = start; step > 0 ? at < stop : at > stop; at += step) {
    part.push_back((*items)[static_cast<std::size_t>(at)]);
    if (step > size || step < -size) break;
  }
  return part;
}

// Roughly what it takes of memory.
std::size_t bytes_of(const Value& value) {
  auto bytes = sizeof(Value);
  if (const auto* text = value.if_string()) return bytes + text->size();
  if (const auto* items = value.if_array())
    for (const auto& item : *items) bytes += bytes_of(item);
  if (const auto* object = value.if_object())
    for (const auto& member : *object) bytes += sizeof(member) + member.key().size() + bytes_of(member.value());
  return bytes;
}

Value flat(const Value& value) {
  const auto* items = value.if_array();
  if (items == nullptr) return {};
  json::array list;
  for (const auto& item : *items) {
    if (const auto* inner = item.if_array())
      list.insert(list.end(), inner->begin(), inner->end());
    else
      list.push_back(item);
  }
  return list;
}

class Search {
 public:
  Result<Value> evaluate(const Node& node, const Value& current) {
    if (++steps_ > JmesPath::kStepsMax)
      return fail(Kind::invalid, fmt::format("it takes more than {} steps", JmesPath::kStepsMax));
    switch (node.kind) {
      case Node::Kind::current:
        return copied(current);
      case Node::Kind::field: {
        const auto* object = current.if_object();
        const auto* member = object == nullptr ? nullptr : object->if_contains(node.name);
        return member == nullptr ? Value() : copied(*member);
      }
      case Node::Kind::literal:
        return copied(node.value);
      case Node::Kind::index:
        return element(current, *node.start);
      case Node::Kind::slice:
        return slice(current, node);
      case Node::Kind::chain:
        return chain(node, current);
      case Node::Kind::projection:
      case Node::Kind::value_projection:
      case Node::Kind::filter:
        return project(node, current);
      case Node::Kind::flatten: {
        const auto value = evaluate(node.parts[0], current);
        return value ? Result<Value>(flat(*value)) : value;
      }
      case Node::Kind::list:
        return list(node, current);
      case Node::Kind::object:
        return object(node, current);
      case Node::Kind::both:
      case Node::Kind::either: {
        auto left = evaluate(node.parts[0], current);
        if (!left || is_true(*left) == (node.kind == Node::Kind::either)) return left;
        return evaluate(node.parts[1], current);
      }
      case Node::Kind::negation: {
        const auto value = evaluate(node.parts[0], current);
        return value ? Result<Value>(!is_true(*value)) : value;
      }
      case Node::Kind::comparison: {
        const auto left = evaluate(node.parts[0], current);
        if (!left) return left;
        const auto right = evaluate(node.parts[1], current);
        return right ? Result<Value>(compared(node.comparison, *left, *right)) : right;
      }
      case Node::Kind::call:
        return call(node, current);
      case Node::Kind::reference:
        return fail(Kind::invalid, "an expression, &…, is no value here");
    }
    return Value();
  }

 private:
  // "a.b.c…" leans to the left, as deep as it is long: not one call in another.
  Result<Value> chain(const Node& node, const Value& current) {
    std::vector<const Node*> links;
    const auto* first = &node;
    for (; first->kind == Node::Kind::chain; first = &first->parts[0]) links.push_back(first);
    auto value = evaluate(*first, current);
    for (auto link = links.rbegin(); value && link != links.rend(); ++link) value = evaluate((*link)->parts[1], *value);
    return value;
  }

  // All values begin as copies. Those that are put together of them, or are parts of them, are moved or of their size;
  // what functions make is counted as well.
  Status count(const Value& value) {
    bytes_ += bytes_of(value);
    if (bytes_ <= JmesPath::kBytesMax) return {};
    return fail(Kind::invalid, fmt::format("it makes values of more than {} bytes", JmesPath::kBytesMax));
  }

  Result<Value> copied(const Value& value) {
    if (auto counted = count(value); !counted) return tl::unexpected(counted.error());
    return value;
  }

  // What the items have nothing of is left out.
  Result<Value> project(const Node& node, const Value& current) {
    const auto base = evaluate(node.parts[0], current);
    if (!base) return base;
    json::array results;
    const auto add = [&](const Value& item) -> Status {
      if (node.kind == Node::Kind::filter) {
        const auto fits = evaluate(node.parts[2], item);
        if (!fits) return tl::unexpected(fits.error());
        if (!is_true(*fits)) return {};
      }
      auto value = evaluate(node.parts[1], item);
      if (!value) return tl::unexpected(value.error());
      if (!value->is_null()) results.push_back(*std::move(value));
      return {};
    };
    if (node.kind == Node::Kind::value_projection) {
      if (!base->is_object()) return Value();
      for (const auto& member : base->get_object())
        if (auto added = add(member.value()); !added) return tl::unexpected(added.error());
    } else {
      if (!base->is_array()) return Value();
      for (const auto& item : base->get_array())
        if (auto added = add(item); !added) return tl::unexpected(added.error());
    }
    return results;
  }

  Result<Value> list(const Node& node, const Value& current) {
    if (current.is_null()) return Value();
    json::array items;
    for (const auto& part : node.parts) {
      auto value = evaluate(part, current);
      if (!value) return value;
      items.push_back(*std::move(value));
    }
    return items;
  }

  Result<Value> object(const Node& node, const Value& current) {
    if (current.is_null()) return Value();
    json::object members;
    for (std::size_t index = 0; index < node.parts.size(); ++index) {
      auto value = evaluate(node.parts[index], current);
      if (!value) return value;
      members[node.keys[index]] = *std::move(value);
    }
    return members;
  }

  Result<Value> call(const Node& node, const Value& current) {
    const auto at = jmes_reference_argument(node.function);
    const JmesMapping mapping = [&](const Value& item) { return evaluate(node.parts[*at].parts[0], item); };
    std::vector<Value> arguments;
    for (std::size_t index = 0; index < node.parts.size(); ++index) {
      const bool is_reference = node.parts[index].kind == Node::Kind::reference;
      if (at == index && !is_reference)
        return fail(Kind::invalid, fmt::format("{}() wants an expression, &…", to_string(node.function)));
      auto value = at == index ? Result<Value>(Value()) : evaluate(node.parts[index], current);
      if (!value) return value;
      arguments.push_back(*std::move(value));
    }
    auto made = call_jmes_function(node.function, std::move(arguments), mapping);
    if (made)
      if (auto counted = count(*made); !counted) return tl::unexpected(counted.error());
    return made;
  }

  int steps_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<JmesPath> JmesPath::parse(std::string_view expression) {
  if (expression.size() > kTextBytesMax)
    return fail(Kind::invalid, fmt::format("it is longer than {} bytes", kTextBytesMax));
  if (!is_valid_utf8(expression)) return fail(Kind::invalid, "it is not UTF-8");
  auto root = parse_jmespath(expression);
  if (!root) return tl::unexpected(root.error());
  return JmesPath(std::make_shared<const JmesNode>(*std::move(root)));
}

Result<json::value> JmesPath::search(const json::value& document) const { return Search().evaluate(*root_, document); }

}  // namespace windlass
