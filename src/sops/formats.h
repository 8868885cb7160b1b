// One reader and one writer for each format; see document.h, which chooses among them.
#pragma once

#include <string>
#include <string_view>

#include "sops/document.h"

namespace windlass::sops {

Result<Branches> parse_yaml_branches(std::string_view text, std::string_view name);
Result<Branches> parse_json_branches(std::string_view text, std::string_view name);
Result<Branches> parse_dotenv_branches(std::string_view text, std::string_view name);
Result<Branches> parse_ini_branches(std::string_view text, std::string_view name);

std::string emit_yaml(const Branches& branches);
std::string emit_json(const Value& branch);
Result<std::string> emit_dotenv(const Value& branch);
Result<std::string> emit_ini(const Value& branch);

}  // namespace windlass::sops
