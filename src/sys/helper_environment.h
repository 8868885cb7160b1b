// What a program that fetches keys or credentials for us sees of our environment: by allow-list, our secrets are in
// there.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace windlass {

struct PassedVariables {
  std::vector<std::string_view> names, prefixes;
};

// Of `own`, what has a value and is in `more` or among what all such programs need: where programs, home and keys are,
// trusted roots, proxies, and what AWS, Azure and Google know their callers by.
std::map<std::string, std::string> helper_environment(const std::map<std::string, std::string>& own,
                                                      const PassedVariables& more);

}  // namespace windlass
