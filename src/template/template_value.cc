#include "template/template_value.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace windlass {

const TemplateValue::List* TemplateValue::list() const {
  const auto* list = std::get_if<std::shared_ptr<const List>>(&data_);
  return list ? list->get() : nullptr;
}

const TemplateValue::Record* TemplateValue::record() const {
  const auto* record = std::get_if<std::shared_ptr<const Record>>(&data_);
  return record ? record->get() : nullptr;
}

bool TemplateValue::is_true() const {
  if (const auto* value = boolean()) return *value;
  if (const auto* value = integer()) return *value != 0;
  if (const auto* value = real()) return *value != 0;
  if (const auto* value = text()) return !value->empty();
  if (const auto* value = list()) return !value->empty();
  return record() != nullptr;
}

std::string TemplateValue::str() const {
  if (const auto* value = boolean()) return *value ? "true" : "false";
  if (const auto* value = integer()) return std::to_string(*value);
  if (const auto* value = real()) return go_real(*value);
  if (const auto* value = text()) return *value;
  if (is_nil()) return "<nil>";
  std::string joined;
  bool is_first = true;
  const auto add = [&](const TemplateValue& item) {
    joined += (is_first ? "" : " ") + item.str();
    is_first = false;
  };
  if (const auto* items = list()) {
    for (const auto& item : *items) add(item);
    return fmt::format("[{}]", joined);
  }
  if (!record()->text.empty()) return record()->text;
  for (const auto& [name, value] : record()->fields) add(value);
  return fmt::format("{{{}}}", joined);
}

std::string_view TemplateValue::type() const {
  constexpr std::string_view kNames[] = {"<nil>", "bool", "int", "float64", "string", "[]interface {}", "struct"};
  return kNames[data_.index()];
}

const TemplateValue* TemplateValue::field(std::string_view name) const {
  if (record() == nullptr) return nullptr;
  for (const auto& [key, value] : record()->fields)
    if (key == name) return &value;
  return nullptr;
}

std::string go_real(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  const auto size = std::abs(value);
  const bool is_plain = size == 0 || (size >= 1e-4 && size < 1e6);
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value,
                                 is_plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {text, end.ptr};
}

}  // namespace windlass
