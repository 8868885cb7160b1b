// The log: one event a line, a constant phrase plus fields.
//
// On a terminal the line is readable text, otherwise one JSON object: time, level, msg, then the fields in byte order
// (api 5). Identity is bound once with `with()` and inherited. Foreign text is shown with control bytes escaped; values
// registered as secrets are masked. A reader that does not read never blocks the service: such lines, and those that
// there is no memory for, are dropped and counted (reliability/F24).
//
// Not here: what becomes of a job (its run record), and metrics.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace windlass {

enum class LogLevel { debug, info, warning, error, critical };

// "debug", "info", "warn", "warning", "error", any letter case (api/G4).
std::optional<LogLevel> parse_log_level(std::string_view text);
std::string_view to_string(LogLevel level);

// One field of a log line. A key with a dot, "trigger.ref", becomes a nested object.
struct LogField {
  std::string key;
  std::string value;
  bool is_text = true;  // false: value is a JSON number or boolean

  LogField(std::string_view key, std::string_view value) : key(key), value(value) {}
  LogField(std::string_view key, const std::string& value) : key(key), value(value) {}
  LogField(std::string_view key, const char* value) : key(key), value(value) {}
  LogField(std::string_view key, bool value) : key(key), value(value ? "true" : "false"), is_text(false) {}
  template <class Number, class = std::enable_if_t<std::is_integral_v<Number>>>
  LogField(std::string_view key, Number value) : key(key), value(std::to_string(value)), is_text(false) {}
};

class Log {
 public:
  struct Options {
    LogLevel level = LogLevel::info;
    int file_descriptor = 2;
    bool readable = false;  // text for people instead of JSON
  };

  explicit Log(Options options);
  Log() : Log(Options{}) {}

  // Options for standard error: readable when it is a terminal.
  static Options for_standard_error(LogLevel level);

  // The same log with fields added to every line.
  Log with(std::initializer_list<LogField> fields) const;

  // From now on this value is shown as *** wherever it occurs, in the forms of mask_forms.h: one that is too short
  // would mask ordinary words and is not masked.
  void mask(const Secret& secret) const;
  // The same for values that change for ever, as those of stores and of encrypted files do: of these only the last
  // kLatelyMaskedMax, each of which is looked for in each line.
  void mask_lately(const Secret& secret) const;
  static constexpr std::size_t kLatelyMaskedMax = 10'000;
  // Foreign text as a line would show it, for what is told elsewhere too.
  std::string masked(std::string_view text) const;

  void debug(std::string_view phrase, std::initializer_list<LogField> fields = {}) const;
  void info(std::string_view phrase, std::initializer_list<LogField> fields = {}) const;
  void warning(std::string_view phrase, std::initializer_list<LogField> fields = {}) const;
  void error(std::string_view phrase, std::initializer_list<LogField> fields = {}) const;
  void critical(std::string_view phrase, std::initializer_list<LogField> fields = {}) const;

  bool enabled(LogLevel level) const;
  // Lines that could not be written.
  std::uint64_t dropped() const;

 private:
  struct Sink;
  void write(LogLevel level, std::string_view phrase, std::initializer_list<LogField> fields) const;

  std::shared_ptr<Sink> sink_;  // shared: every Log made by with() writes to the same place
  std::vector<LogField> bound_;
};

}  // namespace windlass
