#include "deploy/unbuilt_labels.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::string_view kUnbuilt[] = {
    "cd.doco.job.enabled",
};

}  // namespace

Status refuse_unbuilt_labels(const json::object& model) {
  const auto* services = object_of(model, "services");
  if (services == nullptr) return {};
  for (const auto& service : *services) {
    const auto* members = service.value().if_object();
    const auto* labels = members == nullptr ? nullptr : object_of(*members, "labels");
    if (labels == nullptr) continue;
    for (const auto label : kUnbuilt)
      if (labels->contains(label))
        return fail(Kind::invalid,
                    fmt::format("service {}: label \"{}\" is not built yet in this version of windlass: remove it",
                                printable(service.key(), 256), label));
  }
  return {};
}

}  // namespace windlass
