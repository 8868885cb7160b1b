#include "webhook/target.h"

#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::string_view kPath = "/v1/webhook";
constexpr std::string_view kPathOfTargets = "/v1/webhook/";
constexpr std::string_view kLettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

}  // namespace

bool is_webhook_path(std::string_view path) { return path == kPath || last_segment(path, kPathOfTargets); }

std::optional<std::string> target_of(std::string_view path) {
  const auto segment = last_segment(path, kPathOfTargets);
  if (!segment) return "";
  auto target = percent_decoded(*segment);
  if (!target || target->empty() || target->size() > 128) return std::nullopt;
  if (kLettersAndDigits.find(target->front()) == std::string_view::npos) return std::nullopt;
  for (const char c : *target)
    if (kLettersAndDigits.find(c) == std::string_view::npos && c != '.' && c != '_' && c != '-') return std::nullopt;
  return target;
}

}  // namespace windlass
