// Counters, gauges and histograms, and the text that Prometheus reads (text exposition format 0.0.4).
//
// All calls from any thread. Label values may hold any text; how many different ones there are is up to the caller.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace windlass {

// One value for each combination of label values; a metric without labels is there from the start.
class Metric {
 public:
  enum class Type { counter, gauge };
  Metric(Type type, std::string name, std::string help, std::vector<std::string> labels = {});

  // `values` stand in the order of the labels, as many as there are.
  void add(const std::vector<std::string_view>& values, double by = 1);
  void set(const std::vector<std::string_view>& values, double value);

  // HELP and TYPE, and a line for each combination that was ever named.
  std::string text() const;

 private:
  const Type type_;
  const std::string name_;
  const std::string help_;
  const std::vector<std::string> labels_;
  mutable std::mutex mutex_;
  std::map<std::string, double> values_;  // by labels as they are written
};

class Histogram {
 public:
  // `bounds` ascend; +Inf is added.
  Histogram(std::string name, std::string help, std::vector<std::string> labels, std::vector<double> bounds);

  void observe(const std::vector<std::string_view>& values, double value);

  std::string text() const;

 private:
  struct Series {
    std::vector<std::uint64_t> counts;  // by bound, the last one of +Inf; not cumulated
    double sum = 0;
  };
  const std::string name_;
  const std::string help_;
  const std::vector<std::string> labels_;
  const std::vector<double> bounds_;
  mutable std::mutex mutex_;
  std::map<std::string, Series> series_;
};

}  // namespace windlass
