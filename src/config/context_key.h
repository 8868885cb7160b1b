// The deploy keys `context` and `remote_paths`: on which engine a stack runs, and whether that sees our files (deploy
// 12).
#pragma once

#include <string_view>

#include "config/deploy_config.h"
#include "config/key_reader.h"

namespace windlass {

// The docker command's own rule, [a-zA-Z0-9][a-zA-Z0-9_.+-]+. No such name is an option or leads to another folder.
bool is_context_name(std::string_view name);

// Blanks around the name do not count; "default" is the default engine, as without the key.
void decode_context(KeyReader& read, DeployConfig& config);

}  // namespace windlass
