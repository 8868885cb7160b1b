#include "metrics/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace windlass {
namespace {

void append_escaped(std::string& text, std::string_view value, bool quotes) {
  for (const char c : value) {
    if (c == '\\')
      text += "\\\\";
    else if (c == '\n')
      text += "\\n";
    else if (c == '"' && quotes)
      text += "\\\"";
    else
      text += c;
  }
}

// a="1",b="2"
std::string label_text(const std::vector<std::string>& labels, const std::vector<std::string_view>& values) {
  std::string text;
  for (std::size_t i = 0; i < std::min(labels.size(), values.size()); ++i) {
    if (i > 0) text += ',';
    text += labels[i];
    text += "=\"";
    append_escaped(text, values[i], true);
    text += '"';
  }
  return text;
}

std::string header(std::string_view name, std::string_view help, std::string_view type) {
  std::string text = fmt::format("# HELP {} ", name);
  append_escaped(text, help, false);
  return text + fmt::format("\n# TYPE {} {}\n", name, type);
}

std::string line(std::string_view name, std::string_view labels, double value) {
  return labels.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, labels, value);
}

}  // namespace

Metric::Metric(Type type, std::string name, std::string help, std::vector<std::string> labels)
    : type_(type), name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)) {
  if (labels_.empty()) values_[""] = 0;
}

void Metric::add(const std::vector<std::string_view>& values, double by) {
  auto labels = label_text(labels_, values);
  const std::lock_guard lock(mutex_);
  values_[std::move(labels)] += by;
}

void Metric::set(const std::vector<std::string_view>& values, double value) {
  auto labels = label_text(labels_, values);
  const std::lock_guard lock(mutex_);
  values_[std::move(labels)] = value;
}

std::string Metric::text() const {
  auto text = header(name_, help_, type_ == Type::counter ? "counter" : "gauge");
  const std::lock_guard lock(mutex_);
  for (const auto& [labels, value] : values_) text += line(name_, labels, value);
  return text;
}

Histogram::Histogram(std::string name, std::string help, std::vector<std::string> labels, std::vector<double> bounds)
    : name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)), bounds_(std::move(bounds)) {}

void Histogram::observe(const std::vector<std::string_view>& values, double value) {
  auto labels = label_text(labels_, values);
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  const std::lock_guard lock(mutex_);
  auto& series = series_[std::move(labels)];
  series.counts.resize(bounds_.size() + 1);
  ++series.counts[bucket];
  series.sum += value;
}

std::string Histogram::text() const {
  auto text = header(name_, help_, "histogram");
  const std::lock_guard lock(mutex_);
  for (const auto& [labels, series] : series_) {
    const std::string before = labels.empty() ? "" : labels + ",";
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < series.counts.size(); ++i) {
      count += series.counts[i];
      const auto bound = i < bounds_.size() ? fmt::format("{}", bounds_[i]) : "+Inf";
      text += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name_, before, bound, count);
    }
    text += line(name_ + "_sum", labels, series.sum);
    text += line(name_ + "_count", labels, static_cast<double>(count));
  }
  return text;
}

}  // namespace windlass
