#include "webhook/target.h"

#include "model/target.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::string_view kPath = "/v1/webhook";
constexpr std::string_view kPathOfTargets = "/v1/webhook/";

}  // namespace

bool is_webhook_path(std::string_view path) { return path == kPath || last_segment(path, kPathOfTargets); }

std::optional<std::string> target_of(std::string_view path) {
  const auto segment = last_segment(path, kPathOfTargets);
  if (!segment) return "";
  auto target = percent_decoded(*segment);
  if (!target || target->empty() || !is_target(*target)) return std::nullopt;
  return target;
}

}  // namespace windlass
