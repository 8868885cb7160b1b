// An engine behind ssh: `docker system dial-stdio` there passes a connection on to the engine's socket (deploy/Y2).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/process.h"

namespace windlass {

// The child whose standard input and output are a connection to the engine at "ssh://[user@]host[:port][/socket]".
// `environment`: of this process; of it the child gets what ssh reads. Kind::invalid says what is wrong with the host:
// a password in it, a part that ssh would take for an option or the shell there for more than a word.
Result<Command> dial_stdio_command(std::string_view host, const std::map<std::string, std::string>& environment);

}  // namespace windlass
