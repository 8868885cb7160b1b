#include "base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>

#include "base/mask_forms.h"
#include "base/text.h"

namespace windlass {
namespace {

constexpr std::size_t kFieldBytesMax = 4096;  // reliability 2: log field

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : printable(text, kFieldBytesMax)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// RFC 3339 with nanoseconds in the local zone (api/G2).
std::string local_time() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto part = std::chrono::duration_cast<std::chrono::nanoseconds>(now - seconds).count();
  const auto local = fmt::localtime(std::chrono::system_clock::to_time_t(seconds));
  std::string zone = fmt::format("{:%z}", local);
  if (zone.size() == 5) zone.insert(3, ":");
  if (zone == "+00:00") zone = "Z";
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}{}", local, part, zone);
}

using Fields = std::map<std::string_view, const LogField*>;  // byte order, last wins (api/G5)

// Fields whose keys share a prefix "trigger." are written as one nested object.
void append_json_fields(std::string& out, const Fields& fields, std::string_view prefix) {
  std::string_view open_group;
  for (const auto& [key, field] : fields) {
    if (!key.starts_with(prefix)) continue;
    const auto name = key.substr(prefix.size());
    const auto dot = name.find('.');
    if (dot == name.npos) {
      out += out.back() == '{' ? "" : ",";
      append_json_text(out, name);
      out += ':';
      if (field->is_text)
        append_json_text(out, field->value);
      else
        out += field->value;
      continue;
    }
    const auto group = name.substr(0, dot);
    if (group == open_group) continue;
    open_group = group;
    out += out.back() == '{' ? "" : ",";
    append_json_text(out, group);
    out += ":{";
    append_json_fields(out, fields, key.substr(0, prefix.size() + dot + 1));
    out += '}';
  }
}

std::string json_line(LogLevel level, std::string_view phrase, const Fields& fields) {
  std::string out = fmt::format(R"({{"time":"{}","level":"{}","msg":)", local_time(), to_string(level));
  append_json_text(out, phrase);
  append_json_fields(out, fields, "");
  return out + "}\n";
}

std::string readable_line(LogLevel level, std::string_view phrase, const Fields& fields) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::string out = fmt::format("{:%H:%M:%S} {:<8} {}", fmt::localtime(now), to_string(level), printable(phrase));
  for (const auto& [key, field] : fields) out += fmt::format("  {}={}", key, printable(field->value, kFieldBytesMax));
  return out + "\n";
}

// The longest first: one may be part of another.
struct LongestFirst {
  bool operator()(const Secret& a, const Secret& b) const {
    const auto &one = a.reveal(), &other = b.reveal();
    return one.size() != other.size() ? one.size() > other.size() : one < other;
  }
};

// What is never shown. Not safe for threads.
class MaskList {
 public:
  void add(const Secret& secret) {
    const auto [mask, is_new] = masks_.try_emplace(secret, kForEver);
    lately_.erase(mask->second);
    mask->second = kForEver;
  }

  void add_lately(const Secret& secret) {
    const auto [mask, is_new] = masks_.try_emplace(secret, ++told_);
    if (mask->second == kForEver) return;
    lately_.erase(mask->second);
    mask->second = told_;
    lately_[told_] = mask;
    if (lately_.size() <= Log::kLatelyMaskedMax) return;
    masks_.erase(lately_.begin()->second);
    lately_.erase(lately_.begin());
  }

  std::string apply(std::string_view text) const {
    std::string result(text);
    for (const auto& [secret, told] : masks_)
      for (auto at = result.find(secret.reveal()); at != result.npos; at = result.find(secret.reveal(), at + 3))
        result.replace(at, secret.reveal().size(), "***");
    return result;
  }

 private:
  using Masks = std::map<Secret, std::uint64_t, LongestFirst>;  // when it was last told, or kForEver
  static constexpr std::uint64_t kForEver = 0;

  Masks masks_;
  std::map<std::uint64_t, Masks::iterator> lately_;  // by when it was last told
  std::uint64_t told_ = 0;
};

}  // namespace

struct Log::Sink {
  explicit Sink(Options options) : options(options) {}
  Options options;
  std::mutex mutex;  // guards masks, and keeps lines whole
  MaskList masks;
  std::atomic<std::uint64_t> dropped = 0;

  // A line in pieces would break "one event a line", so it is written only when the target takes bytes now.
  void write(const std::string& line) {
    std::string_view rest = line;
    while (!rest.empty()) {
      pollfd target{.fd = options.file_descriptor, .events = POLLOUT, .revents = 0};
      const bool started = rest.size() != line.size();
      if (::poll(&target, 1, started ? 100 : 0) != 1 || (target.revents & POLLOUT) == 0) {
        ++dropped;
        return;
      }
      const auto written = ::write(options.file_descriptor, rest.data(), std::min<std::size_t>(rest.size(), 4096));
      if (written < 0) {
        if (errno == EINTR || errno == EAGAIN) continue;
        ++dropped;
        return;
      }
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
};

std::optional<LogLevel> parse_log_level(std::string_view text) {
  const auto name = lower(text);
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warn" || name == "warning") return LogLevel::warning;
  if (name == "error") return LogLevel::error;
  return std::nullopt;
}

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
    case LogLevel::critical:
      return "critical";
  }
  return "info";
}

Log::Log(Options options) : sink_(std::make_shared<Sink>(options)) {}

Log::Options Log::for_standard_error(LogLevel level) {
  return {.level = level, .file_descriptor = STDERR_FILENO, .readable = ::isatty(STDERR_FILENO) == 1};
}

Log Log::with(std::initializer_list<LogField> fields) const {
  Log result = *this;
  result.bound_.insert(result.bound_.end(), fields.begin(), fields.end());
  return result;
}

void Log::mask(const Secret& secret) const {
  const auto forms = mask_forms(secret);
  const std::lock_guard lock(sink_->mutex);
  for (const auto& form : forms) sink_->masks.add(form);
}

void Log::mask_lately(const Secret& secret) const {
  const auto forms = mask_forms(secret);
  const std::lock_guard lock(sink_->mutex);
  for (const auto& form : forms) sink_->masks.add_lately(form);
}

std::string Log::masked(std::string_view text) const {
  const std::lock_guard lock(sink_->mutex);
  return sink_->masks.apply(text);
}

bool Log::enabled(LogLevel level) const { return level >= sink_->options.level; }
std::uint64_t Log::dropped() const { return sink_->dropped; }

void Log::write(LogLevel level, std::string_view phrase, std::initializer_list<LogField> fields) const {
  if (!enabled(level)) return;
  try {
    std::vector<LogField> all = bound_;
    all.insert(all.end(), fields.begin(), fields.end());
    const std::lock_guard lock(sink_->mutex);
    Fields sorted;
    for (auto& field : all) {
      if (field.is_text) field.value = sink_->masks.apply(field.value);  // before JSON escapes could hide a secret
      sorted[field.key] = &field;
    }
    sink_->write(sink_->options.readable ? readable_line(level, phrase, sorted) : json_line(level, phrase, sorted));
  } catch (const std::exception&) {  // no memory for it
    ++sink_->dropped;
  }
}

void Log::debug(std::string_view phrase, std::initializer_list<LogField> fields) const {
  write(LogLevel::debug, phrase, fields);
}
void Log::info(std::string_view phrase, std::initializer_list<LogField> fields) const {
  write(LogLevel::info, phrase, fields);
}
void Log::warning(std::string_view phrase, std::initializer_list<LogField> fields) const {
  write(LogLevel::warning, phrase, fields);
}
void Log::error(std::string_view phrase, std::initializer_list<LogField> fields) const {
  write(LogLevel::error, phrase, fields);
}
void Log::critical(std::string_view phrase, std::initializer_list<LogField> fields) const {
  write(LogLevel::critical, phrase, fields);
}

}  // namespace windlass
