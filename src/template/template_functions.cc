#include "template/template_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <span>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/json.h"
#include "sys/query.h"
#include "template/template_printf.h"

namespace windlass {
namespace {

constexpr std::string_view kNames[] = {"eq",     "ne",        "lt",        "le",    "gt",      "ge",      "and",
                                       "or",     "not",       "len",       "index", "printf",  "print",   "b64enc",
                                       "b64dec", "urlencode", "urldecode", "json",  "toUpper", "toLower", "trim"};

using Value = TemplateValue;

bool is_basic(const Value& value) { return value.boolean() || value.integer() || value.real() || value.text(); }

Result<bool> equal(const Value& a, const Value& b) {
  if (a.is_nil() || b.is_nil()) return a.is_nil() && b.is_nil();
  if (!is_basic(a) || !is_basic(b))
    return fail(Kind::invalid, fmt::format("{} cannot be compared", (is_basic(a) ? b : a).type()));
  if (a.boolean() && b.boolean()) return *a.boolean() == *b.boolean();
  if (a.integer() && b.integer()) return *a.integer() == *b.integer();
  if (a.real() && b.real()) return *a.real() == *b.real();
  if (a.text() && b.text()) return *a.text() == *b.text();
  return fail(Kind::invalid, fmt::format("{} and {} cannot be compared", a.type(), b.type()));
}

Result<bool> less(const Value& a, const Value& b) {
  if (a.integer() && b.integer()) return *a.integer() < *b.integer();
  if (a.real() && b.real()) return *a.real() < *b.real();
  if (a.text() && b.text()) return *a.text() < *b.text();
  return fail(Kind::invalid, fmt::format("{} and {} have no order", a.type(), b.type()));
}

Result<Value> as_value(const Result<bool>& answer, bool wanted = true) {
  if (!answer) return tl::unexpected(answer.error());
  return Value(*answer == wanted);
}

Result<Value> equal_to_any(const std::vector<Value>& arguments) {
  for (std::size_t index = 1; index < arguments.size(); ++index) {
    const auto same = equal(arguments[0], arguments[index]);
    if (!same || *same) return as_value(same);
  }
  return Value(false);
}

Result<Value> at_most(const Value& a, const Value& b, bool wanted) {
  const auto is_less = less(a, b);
  return is_less && !*is_less ? as_value(equal(a, b), wanted) : as_value(is_less, wanted);
}

Result<Value> length(const Value& value) {
  if (const auto* text = value.text()) return Value(static_cast<std::int64_t>(text->size()));
  if (const auto* list = value.list()) return Value(static_cast<std::int64_t>(list->size()));
  return fail(Kind::invalid, fmt::format("len of type {}", value.type()));
}

Result<Value> element(const Value& value, const Value& at) {
  if (!at.integer()) return fail(Kind::invalid, fmt::format("cannot index with type {}", at.type()));
  if (!value.text() && !value.list()) return fail(Kind::invalid, fmt::format("cannot index type {}", value.type()));
  const auto size = value.text() ? value.text()->size() : value.list()->size();
  if (*at.integer() < 0 || static_cast<std::uint64_t>(*at.integer()) >= size)
    return fail(Kind::invalid, fmt::format("index out of range: {}", *at.integer()));
  const auto index = static_cast<std::size_t>(*at.integer());
  if (value.list()) return (*value.list())[index];
  return Value(static_cast<std::int64_t>(static_cast<unsigned char>((*value.text())[index])));
}

Result<Value> indexed(const std::vector<Value>& arguments) {
  auto value = arguments[0];
  if (value.is_nil()) return fail(Kind::invalid, "cannot index nil");
  for (std::size_t index = 1; index < arguments.size(); ++index) {
    auto inner = element(value, arguments[index]);
    if (!inner) return inner;
    value = *std::move(inner);
  }
  return value;
}

Result<Value> printed(const std::vector<Value>& arguments) {
  const auto* format = arguments[0].text();
  if (format == nullptr) return fail(Kind::invalid, fmt::format("printf: the format has type {}", arguments[0].type()));
  auto text = go_printf(*format, std::span(arguments).subspan(1));
  if (!text) return tl::unexpected(text.error());
  return Value(*std::move(text));
}

// As Go's Sprint: a space between two that are both no text.
Value side_by_side(const std::vector<Value>& arguments) {
  std::string text;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    if (index > 0 && !arguments[index - 1].text() && !arguments[index].text()) text += ' ';
    text += arguments[index].str();
  }
  return text;
}

json::value json_of(const Value& value) {
  if (value.boolean()) return *value.boolean();
  if (value.integer()) return *value.integer();
  if (value.real()) return *value.real();
  if (value.text()) return json::value(*value.text());
  if (const auto* items = value.list()) {
    json::array list;
    for (const auto& item : *items) list.push_back(json_of(item));
    return list;
  }
  if (value.record() == nullptr) return nullptr;
  json::object object;
  for (const auto& [name, field] : value.record()->fields) object[name] = json_of(field);
  return object;
}

// As Go's url.QueryEscape.
std::string query_escaped(const std::string& text) {
  auto escaped = url_encode(text, " ");
  std::ranges::replace(escaped, ' ', '+');
  return escaped;
}

Result<std::string> query_unescaped(std::string text) {
  std::ranges::replace(text, '+', ' ');
  auto plain = percent_decoded(text);
  if (!plain) return fail(Kind::invalid, "urldecode: a % without two hexadecimal digits");
  return *std::move(plain);
}

Result<std::string> base64_decoded(const std::string& text) {
  auto bytes = base64_decode(text);
  if (!bytes) return fail(Kind::invalid, "b64dec: the text is not base64");
  return *std::move(bytes);
}

template <class Change>
std::string each_letter(std::string text, Change change) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(change(c));
  return text;
}

// Functions from one text to another; what is no text counts as it is printed.
Result<Value> changed_text(TemplateFunction function, const Value& value) {
  auto text = value.str();
  if (function == TemplateFunction::urldecode || function == TemplateFunction::b64dec) {
    auto plain = function == TemplateFunction::b64dec ? base64_decoded(text) : query_unescaped(std::move(text));
    if (!plain) return tl::unexpected(plain.error());
    return Value(*std::move(plain));
  }
  switch (function) {
    case TemplateFunction::b64enc:
      return Value(base64_encode(text));
    case TemplateFunction::urlencode:
      return Value(query_escaped(text));
    case TemplateFunction::to_upper:
      return Value(each_letter(std::move(text), [](int c) { return std::toupper(c); }));
    case TemplateFunction::to_lower:
      return Value(each_letter(std::move(text), [](int c) { return std::tolower(c); }));
    default:
      return Value(trim(text));
  }
}

Value deciding(const std::vector<Value>& arguments, bool decides) {
  for (const auto& argument : arguments)
    if (argument.is_true() == decides) return argument;
  return arguments.back();
}

}  // namespace

std::optional<TemplateFunction> template_function(std::string_view name, TemplateDialect dialect) {
  for (std::size_t index = 0; index < std::size(kNames); ++index) {
    const auto function = static_cast<TemplateFunction>(index);
    if (kNames[index] != name) continue;
    if (dialect == TemplateDialect::message && function >= TemplateFunction::print) return std::nullopt;
    return function;
  }
  return std::nullopt;
}

std::string_view to_string(TemplateFunction function) { return kNames[static_cast<std::size_t>(function)]; }

Result<TemplateValue> call_template_function(TemplateFunction function, const std::vector<TemplateValue>& arguments) {
  switch (function) {
    case TemplateFunction::eq:
      return equal_to_any(arguments);
    case TemplateFunction::ne:
      return as_value(equal(arguments[0], arguments[1]), false);
    case TemplateFunction::lt:
      return as_value(less(arguments[0], arguments[1]));
    case TemplateFunction::ge:
      return as_value(less(arguments[0], arguments[1]), false);
    case TemplateFunction::le:
      return at_most(arguments[0], arguments[1], true);
    case TemplateFunction::gt:
      return at_most(arguments[0], arguments[1], false);
    case TemplateFunction::and_:
      return deciding(arguments, false);
    case TemplateFunction::or_:
      return deciding(arguments, true);
    case TemplateFunction::not_:
      return Value(!arguments[0].is_true());
    case TemplateFunction::len:
      return length(arguments[0]);
    case TemplateFunction::index:
      return indexed(arguments);
    case TemplateFunction::printf:
      return printed(arguments);
    case TemplateFunction::print:
      return side_by_side(arguments);
    case TemplateFunction::json:
      return Value(json::serialize(json_of(arguments[0])));
    case TemplateFunction::b64enc:
    case TemplateFunction::b64dec:
    case TemplateFunction::urlencode:
    case TemplateFunction::urldecode:
    case TemplateFunction::to_upper:
    case TemplateFunction::to_lower:
    case TemplateFunction::trim:
      return changed_text(function, arguments[0]);
  }
  return Value();
}

}  // namespace windlass
