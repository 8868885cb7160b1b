// What a provider gave, as tests compare it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace windlass {

// Each value as it is; an error as "kind: message".
inline std::vector<std::string> fetched_texts(const std::vector<Result<Secret>>& results) {
  std::vector<std::string> texts;
  for (const auto& result : results)
    texts.push_back(result ? result->reveal()
                           : std::string(to_string(result.error().kind)) + ": " + result.error().message);
  return texts;
}

}  // namespace windlass
