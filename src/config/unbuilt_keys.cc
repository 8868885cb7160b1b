#include "config/unbuilt_keys.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

enum class Type {
  text,        // "" asks for nothing
  integer,     // 0 asks for nothing
  flag,        // false asks for nothing
  idle_flag,   // neither value asks for anything that windlass would not do anyway
  collection,  // an empty list or mapping asks for nothing
};

struct Unbuilt {
  const char* key;
  Type type;
};

// wait_running_jobs: no job containers are known.
constexpr Unbuilt kUnbuilt[] = {
    {"context", Type::text},     {"wait_running_jobs", Type::idle_flag},
    {"wait_jobs", Type::flag},   {"git_depth", Type::integer},
    {"swarm", Type::collection}, {"remote_paths", Type::flag},
};

class Refusal {
 public:
  explicit Refusal(KeyReader& read) : read_(read) {}

  void check(const Unbuilt& unbuilt) {
    const auto* node = read_.take(unbuilt.key);
    if (node == nullptr || node->is_null() || !asks_for_something(unbuilt, *node)) return;
    read_.fault(unbuilt.key, fmt::format("deploy key \"{}\" is not built yet in this version of windlass: {}",
                                         unbuilt.key, remedy(unbuilt.type)));
  }

 private:
  static std::string_view remedy(Type type) {
    return type == Type::flag ? "remove it or set it to false" : "remove it";
  }

  bool asks_for_something(const Unbuilt& unbuilt, const YamlNode& node) {
    const std::string key = unbuilt.key;
    switch (unbuilt.type) {
      case Type::text: {
        std::string value;
        read_.text(key, value);
        return !trim(value).empty();
      }
      case Type::integer: {
        int value = 0;
        read_.integer(key, value);
        if (value < 0) read_.fault(key, fmt::format("{} must be >= 0", key));
        return value > 0;
      }
      case Type::flag: {
        bool value = false;
        read_.flag(key, value);
        return value;
      }
      case Type::idle_flag: {
        bool value = false;
        read_.flag(key, value);
        return false;
      }
      case Type::collection:
        return node.kind == YamlNode::Kind::scalar || !node.items.empty() || !node.entries.empty();
    }
    return true;
  }

  KeyReader& read_;
};

}  // namespace

void refuse_unbuilt_keys(KeyReader& read) {
  if (const auto* url = read.take("repository_url"); url != nullptr && !url->is_null() && !trim(url->text).empty())
    read.fault("repository_url", "repository_url is not supported for OCI sources");
  Refusal refusal(read);
  for (const auto& unbuilt : kUnbuilt) refusal.check(unbuilt);
}

}  // namespace windlass
