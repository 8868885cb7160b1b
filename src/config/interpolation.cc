// The interpolation environment of a stack (config 6).
#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "config/deploy_config.h"
#include "config/dotenv.h"
#include "config/source_path.h"

namespace windlass {
namespace {

using Variables = std::map<std::string, std::string>;

constexpr std::uint64_t kEnvFileBytesMax = 1 << 20;
constexpr std::size_t kEnvironmentBytesMax = 1 << 20;  // half of what the kernel takes for a child at the usual stack

std::size_t bytes_of(const Variables& variables) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : variables) bytes += name.size() + value.size() + 2;
  return bytes;
}

void add_missing(Variables& to, const Variables& from) { to.insert(from.begin(), from.end()); }

Status read_env_file(const SourceFiles& files, const std::string& path, const Variables& stronger,
                     Variables& from_files) {
  const auto text = read_source_file(files, path, kEnvFileBytesMax);
  if (!text) return while_doing("env file", text.error());
  const Lookup outer = [&](const std::string& name) -> std::optional<std::string> {
    for (const Variables* variables : {&stronger, &std::as_const(from_files)})
      if (const auto found = variables->find(name); found != variables->end()) return found->second;
    return std::nullopt;
  };
  auto variables = parse_dotenv(*text, path, outer);
  if (!variables) return while_doing("env file", variables.error());
  for (auto& [name, value] : *variables) from_files[name] = std::move(value);
  return {};
}

}  // namespace

Result<Variables> interpolation_environment(const SourceFiles& files, const DeployConfig& config,
                                            const Variables& process) {
  Variables environment = config.environment;
  add_missing(environment, process);
  Variables from_files;
  for (const auto& file : config.env_files) {
    const auto path = clean_source_path(config.working_dir, file);
    if (!path) return fail(Kind::invalid, "invalid deploy configuration: invalid file path: " + printable(file, 200));
    const auto read = read_env_file(files, *path, environment, from_files);
    const bool may_be_missing = config.env_files_are_default && !read && read.error().kind == Kind::not_found;
    if (!read && !may_be_missing) return tl::unexpected(read.error());
    if (bytes_of(from_files) > kEnvironmentBytesMax)
      return fail(Kind::invalid,
                  fmt::format("env file {}: more than {} bytes of variables", *path, kEnvironmentBytesMax));
  }
  add_missing(environment, from_files);
  return environment;
}

}  // namespace windlass
