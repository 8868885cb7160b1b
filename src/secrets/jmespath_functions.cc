#include "secrets/jmespath_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "secrets/jmespath.h"

namespace windlass {
namespace {

using Function = JmesFunction;
using Value = json::value;
using Values = std::vector<json::value>;

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

struct Shape {
  std::string_view name;
  std::size_t least = 1, most = 1;  // arguments
};

// In the order of JmesFunction.
constexpr Shape kShapes[] = {
    {"abs"},
    {"avg"},
    {"ceil"},
    {"contains", 2, 2},
    {"ends_with", 2, 2},
    {"floor"},
    {"join", 2, 2},
    {"keys"},
    {"length"},
    {"map", 2, 2},
    {"max"},
    {"max_by", 2, 2},
    {"merge", 0, kAny},
    {"min"},
    {"min_by", 2, 2},
    {"not_null", 1, kAny},
    {"reverse"},
    {"sort"},
    {"sort_by", 2, 2},
    {"starts_with", 2, 2},
    {"sum"},
    {"to_array"},
    {"to_number"},
    {"to_string"},
    {"type"},
    {"values"},
};

const Shape& shape_of(Function function) { return kShapes[static_cast<std::size_t>(function)]; }

// UTF-8 in characters.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string reversed(std::string_view text) {
  std::string result;
  for (auto end = text.size(); end > 0;) {
    auto begin = end - 1;
    while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
    result += text.substr(begin, end - begin);
    end = begin;
  }
  return result;
}

// Whole where it can be.
Value number_from(double number) {
  constexpr double kWhole = 9e15;
  if (std::trunc(number) == number && std::abs(number) < kWhole) return static_cast<std::int64_t>(number);
  return number;
}

Value parsed_number(std::string_view text) {
  const auto value = parse_json(text);
  return value && jmes_number(*value) ? *value : Value();
}

// A call with its name for messages.
class Call {
 public:
  Call(Function function, Values arguments, const JmesMapping& mapping)
      : function_(function), arguments_(std::move(arguments)), mapping_(mapping) {}

  Result<Value> run() {
    switch (function_) {
      case Function::abs:
      case Function::ceil:
      case Function::floor:
        return rounded();
      case Function::avg:
      case Function::sum:
        return added();
      case Function::contains:
        return contained();
      case Function::ends_with:
      case Function::starts_with:
        return at_an_end();
      case Function::join:
        return joined();
      case Function::keys:
      case Function::values:
        return parts();
      case Function::length:
        return length();
      case Function::map:
        return mapped();
      case Function::max:
      case Function::min:
      case Function::sort:
        return ordered(argument(0), [](const Value& item) -> Result<Value> { return item; });
      case Function::max_by:
      case Function::min_by:
      case Function::sort_by:
        return ordered(argument(0), mapping_);
      case Function::merge:
        return merged();
      case Function::not_null:
        for (auto& each : arguments_)
          if (!each.is_null()) return std::move(each);
        return Value();
      case Function::reverse:
        return backwards();
      case Function::to_array:
        return argument(0).is_array() ? argument(0) : Value(json::array{argument(0)});
      case Function::to_number:
        if (jmes_number(argument(0))) return argument(0);
        return argument(0).is_string() ? parsed_number(argument(0).get_string()) : Value();
      case Function::to_string:
        return argument(0).is_string() ? argument(0) : Value(jmes_text(argument(0)));
      case Function::type:
        return Value(jmes_type(argument(0)));
    }
    return Value();
  }

 private:
  Value& argument(std::size_t index) { return arguments_[index]; }

  tl::unexpected<Error> wrong(const Value& value, std::string_view wanted) const {
    return fail(Kind::invalid, fmt::format("{}() wants {}, got {}", to_string(function_), wanted, jmes_type(value)));
  }

  Result<Value> rounded() {
    const auto number = jmes_number(argument(0));
    if (!number) return wrong(argument(0), "a number");
    if (!argument(0).is_double() && (function_ != Function::abs || *number >= 0)) return argument(0);
    return number_from(function_ == Function::abs    ? std::abs(*number)
                       : function_ == Function::ceil ? std::ceil(*number)
                                                     : std::floor(*number));
  }

  Result<Value> added() {
    const auto* items = argument(0).if_array();
    if (items == nullptr) return wrong(argument(0), "an array of numbers");
    double sum = 0;
    for (const auto& item : *items) {
      const auto number = jmes_number(item);
      if (!number) return wrong(item, "an array of numbers");
      sum += *number;
    }
    if (function_ == Function::sum) return number_from(sum);
    return items->empty() ? Value() : number_from(sum / static_cast<double>(items->size()));
  }

  Result<Value> contained() {
    const auto &subject = argument(0), &wanted = argument(1);
    if (const auto* items = subject.if_array())
      return Value(std::ranges::any_of(*items, [&](const Value& item) { return jmes_equal(item, wanted); }));
    if (!subject.is_string()) return wrong(subject, "an array or a string");
    return Value(wanted.is_string() &&
                 std::string_view(subject.get_string()).find(wanted.get_string()) != std::string_view::npos);
  }

  Result<Value> at_an_end() {
    for (const auto& each : arguments_)
      if (!each.is_string()) return wrong(each, "strings");
    const std::string_view text = argument(0).get_string(), part = argument(1).get_string();
    return Value(function_ == Function::starts_with ? text.starts_with(part) : text.ends_with(part));
  }

  Result<Value> joined() {
    const auto* glue = argument(0).if_string();
    const auto* items = argument(1).if_array();
    if (glue == nullptr) return wrong(argument(0), "a string");
    if (items == nullptr) return wrong(argument(1), "an array of strings");
    std::string text;
    for (const auto& item : *items) {
      if (!item.is_string()) return wrong(item, "an array of strings");
      if (&item != items->begin()) text += *glue;
      text += item.get_string();
      if (text.size() > JmesPath::kBytesMax)
        return fail(Kind::invalid, fmt::format("join() makes more than {} bytes", JmesPath::kBytesMax));
    }
    return Value(text);
  }

  Result<Value> parts() {
    const auto* object = argument(0).if_object();
    if (object == nullptr) return wrong(argument(0), "an object");
    json::array list;
    for (const auto& member : *object)
      list.push_back(function_ == Function::keys ? Value(member.key()) : member.value());
    return list;
  }

  Result<Value> length() {
    const auto& value = argument(0);
    if (value.is_string()) return Value(length_of(value.get_string()));
    if (value.is_array()) return Value(value.get_array().size());
    if (value.is_object()) return Value(value.get_object().size());
    return wrong(value, "a string, an array or an object");
  }

  Result<Value> mapped() {
    const auto* items = argument(1).if_array();
    if (items == nullptr) return wrong(argument(1), "an array");
    json::array list;
    for (const auto& item : *items) {
      auto value = mapping_(item);
      if (!value) return value;
      list.push_back(*std::move(value));
    }
    return list;
  }

  Result<Value> merged() {
    json::object all;
    for (const auto& each : arguments_) {
      if (!each.is_object()) return wrong(each, "objects");
      for (const auto& member : each.get_object()) all[member.key()] = member.value();
    }
    return all;
  }

  Result<Value> backwards() {
    auto& value = argument(0);
    if (value.is_string()) return Value(reversed(value.get_string()));
    if (!value.is_array()) return wrong(value, "an array or a string");
    std::ranges::reverse(value.get_array());
    return std::move(value);
  }

  // By numbers, or by strings: what `key` makes of each item.
  Result<Value> ordered(Value& list, const JmesMapping& key) {
    auto* items = list.if_array();
    if (items == nullptr) return wrong(list, "an array");
    std::vector<std::pair<Value, std::size_t>> keys;
    for (std::size_t index = 0; index < items->size(); ++index) {
      auto value = key((*items)[index]);
      if (!value) return value;
      const bool fits =
          keys.empty() ? value->is_string() || jmes_number(*value) : jmes_type(*value) == jmes_type(keys.front().first);
      if (!fits) return wrong(*value, "numbers only, or strings only");
      keys.emplace_back(*std::move(value), index);
    }
    const auto before = [](const auto& a, const auto& b) {
      return a.first.is_string() ? a.first.get_string() < b.first.get_string()
                                 : *jmes_number(a.first) < *jmes_number(b.first);
    };
    if (function_ == Function::sort || function_ == Function::sort_by) {
      std::ranges::stable_sort(keys, before);
      json::array sorted;
      for (const auto& [value, index] : keys) sorted.push_back(std::move((*items)[index]));
      return sorted;
    }
    if (keys.empty()) return Value();
    const bool wants_least = function_ == Function::min || function_ == Function::min_by;
    const auto found = wants_least ? std::ranges::min_element(keys, before) : std::ranges::max_element(keys, before);
    return std::move((*items)[found->second]);
  }

  const Function function_;
  Values arguments_;
  const JmesMapping& mapping_;
};

}  // namespace

std::optional<JmesFunction> jmes_function(std::string_view name) {
  const auto found = std::ranges::find(kShapes, name, &Shape::name);
  if (found == std::end(kShapes)) return std::nullopt;
  return static_cast<Function>(found - std::begin(kShapes));
}

std::string_view to_string(JmesFunction function) { return shape_of(function).name; }

Status check_jmes_arity(JmesFunction function, std::size_t count) {
  const auto& shape = shape_of(function);
  if (count >= shape.least && count <= shape.most) return {};
  return fail(Kind::invalid, fmt::format("{}() takes {}{} arguments, got {}", shape.name,
                                         shape.most == kAny ? "at least " : "", shape.least, count));
}

std::optional<std::size_t> jmes_reference_argument(JmesFunction function) {
  switch (function) {
    case Function::map:
      return 0;
    case Function::max_by:
    case Function::min_by:
    case Function::sort_by:
      return 1;
    default:
      return std::nullopt;
  }
}

Result<json::value> call_jmes_function(JmesFunction function, std::vector<json::value> arguments,
                                       const JmesMapping& mapping) {
  return Call(function, std::move(arguments), mapping).run();
}

}  // namespace windlass
