// Env files and ${VARIABLES} (config 6).
#include <algorithm>
#include <numeric>

#include "config/dotenv.h"
#include "fuzz/fuzz.h"

namespace windlass {
namespace {

constexpr std::string_view kFile = ".env";
constexpr std::size_t kBytesMax = 1 << 20;  // of all variables together (config 6)

std::optional<std::string> outer(const std::string& name) {
  if (name == "HOME") return "/home/user";
  if (name == "EMPTY") return "";
  if (name == "LONG") return std::string(10'000, 'x');
  return std::nullopt;
}

void check_env_file(std::string_view text) {
  const auto variables = parse_dotenv(text, kFile, outer);
  if (!variables) {
    require(variables.error().message.starts_with(".env:"), "the message names the file");
    return require_printable(variables.error().message);
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : *variables) {
    require(!name.empty() && name.find_first_of(std::string_view("=\0\n", 3)) == name.npos, "a name can be passed");
    require(value.find('\0') == value.npos && value.size() <= kVariableBytesMax, "a value can be passed");
    bytes += name.size() + value.size();
  }
  require(bytes <= kBytesMax, "all together can be passed");
}

// With every dollar sign doubled, text means itself.
void check_escaping(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '$' ? "$$" : std::string(1, c);
  const auto plain = substitute(escaped, outer);
  require(plain && *plain == text, "escaped text means itself");
}

}  // namespace

void fuzz(std::string_view input) {
  check_env_file(input);
  check_escaping(input);
  if (const auto value = substitute(input, outer))
    require(value->size() <= kVariableBytesMax, "a value has its limit");
  else
    require_printable(value.error().message);
}

}  // namespace windlass
