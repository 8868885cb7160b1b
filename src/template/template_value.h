// What a template works on: Go's values, as far as notifications have them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace windlass {

class TemplateValue {
 public:
  using List = std::vector<TemplateValue>;
  // A struct: named fields in the order of their declaration.
  struct Record {
    std::vector<std::pair<std::string, TemplateValue>> fields;
    std::string text;  // how it prints itself; empty: its fields in braces
  };

  TemplateValue() = default;  // nil
  TemplateValue(bool value) : data_(value) {}
  TemplateValue(std::int64_t value) : data_(value) {}
  TemplateValue(double value) : data_(value) {}
  TemplateValue(std::string value) : data_(std::move(value)) {}
  TemplateValue(std::string_view value) : data_(std::string(value)) {}
  TemplateValue(const char* value) : data_(std::string(value)) {}
  TemplateValue(List value) : data_(std::make_shared<const List>(std::move(value))) {}
  TemplateValue(Record value) : data_(std::make_shared<const Record>(std::move(value))) {}

  bool is_nil() const { return data_.index() == 0; }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const double* real() const { return std::get_if<double>(&data_); }
  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const List* list() const;      // null: it is none
  const Record* record() const;  // null: it is none

  // Go's truth: not false, 0, nil or empty.
  bool is_true() const;
  // As {{.}} prints it.
  std::string str() const;
  // "string", "int", … as Go names it in its messages.
  std::string_view type() const;
  // The field of a struct; null: it has none of that name, or it is no struct.
  const TemplateValue* field(std::string_view name) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::shared_ptr<const List>,
               std::shared_ptr<const Record>>
      data_;
};

// The shortest text that reads back as the same number, as Go prints it: "1.5", "1e+06".
std::string go_real(double value);

}  // namespace windlass
