#include "secrets/onepassword_cli.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/text.h"
#include "secrets/onepassword_reference.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using Environment = std::map<std::string, std::string>;

constexpr std::size_t kOutputBytesMax = 4 << 20;

std::string value_in(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::optional<std::string> find_program(std::string_view name, std::string_view path) {
  for (const auto folder : split(path, ':'))
    if (const auto file = fmt::format("{}/{}", folder, name); !folder.empty() && ::access(file.c_str(), X_OK) == 0)
      return file;
  return std::nullopt;
}

// Its words for what is not there; for everything else the words themselves are told, which hold no values.
Kind kind_of(std::string_view words) {
  const auto says = [&](std::string_view text) { return words.find(text) != words.npos; };
  if (says("isn't a") || says("could not find") || says("not found") || says("does not have a field"))
    return Kind::not_found;
  if (says("unauthorized") || says("Unauthorized") || says("forbidden") || says("invalid service account"))
    return Kind::denied;
  if (says("too many requests") || says("rate limit") || says("dial tcp") || says("timeout")) return Kind::unavailable;
  return Kind::invalid;
}

class OnePasswordCli final : public SecretProvider {
 public:
  OnePasswordCli(OnePasswordSettings settings, std::string program, Environment environment, ProcessRunner& processes,
                 const Clock& clock)
      : settings_(std::move(settings)),
        program_(std::move(program)),
        environment_(std::move(environment)),
        processes_(processes),
        clock_(clock) {}

  bool is_one_time(const std::string& reference) const override {
    const auto parsed = parse_onepassword_reference(reference);
    return parsed && parsed->is_otp;
  }

  // All references in one call; when that fails each alone, to tell which of them it is.
  std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline& deadline) override {
    std::vector<Result<Secret>> results(references.size(), fail(Kind::not_found, ""));
    std::vector<std::size_t> wanted;
    for (std::size_t index = 0; index < references.size(); ++index) {
      const auto& reference = references[index];
      const auto parsed = parse_onepassword_reference(reference);
      if (!parsed)
        results[index] = tl::unexpected(parsed.error());
      else if (reference.find_first_of("{}$\r\n") != reference.npos)  // $NAME is a variable for op: its token is one
        results[index] =
            fail(Kind::invalid, "a reference with a brace, a dollar sign or a line break cannot be given to op");
      else if (auto known = remembered(reference))
        results[index] = *std::move(known);
      else
        wanted.push_back(index);
    }
    if (wanted.empty()) return results;
    std::vector<std::string> texts;
    for (const auto index : wanted) texts.push_back(references[index]);
    if (auto values = inject(texts, deadline)) {
      for (std::size_t i = 0; i < wanted.size(); ++i) results[wanted[i]] = std::move((*values)[i]);
    } else {
      for (const auto index : wanted)
        results[index] = inject_one(references[index], values.error(), texts.size(), deadline);
    }
    for (const auto index : wanted)
      if (results[index] && !is_one_time(references[index])) remember(references[index], *results[index]);
    return results;
  }

 private:
  struct Remembered {
    Secret value;
    SteadyTime ends_at, used_at;
  };

  Result<Secret> inject_one(const std::string& reference, const Error& error, std::size_t count,
                            const Deadline& deadline) {
    if (count == 1 || error.kind == Kind::unavailable) return tl::unexpected(error);
    auto values = inject({reference}, deadline);
    if (!values) return tl::unexpected(values.error());
    return std::move(values->front());
  }

  // A template on standard input, its values between lines that nobody can guess.
  Result<std::vector<Secret>> inject(const std::vector<std::string>& references, const Deadline& deadline) {
    const auto boundary = "\n" + to_hex(random_bytes(16)) + "\n";
    Command command{
        .program = program_, .arguments = {"inject"}, .environment = environment_, .output_bytes_max = kOutputBytesMax};
    command.environment["OP_SERVICE_ACCOUNT_TOKEN"] = settings_.access_token.reveal();
    command.input = boundary;
    for (const auto& reference : references) command.input += fmt::format("{{{{ {} }}}}{}", reference, boundary);
    auto exit = processes_.run(command, deadline);
    if (!exit) return while_doing("op inject", exit.error());
    if (exit->timed_out) return fail(Kind::unavailable, "op inject: no end in time");
    if (exit->code != 0) return fail(kind_of(exit->err), "op inject: " + printable(trim(exit->err), 500));
    std::string_view rest = exit->out;
    const auto begin = rest.find(boundary);
    if (begin == rest.npos) return fail(Kind::internal, "op inject: unexpected output");
    rest.remove_prefix(begin + boundary.size());
    std::vector<Secret> values;
    for (auto end = rest.find(boundary); end != rest.npos; end = rest.find(boundary)) {
      values.emplace_back(std::string(rest.substr(0, end)));
      rest.remove_prefix(end + boundary.size());
    }
    ::explicit_bzero(exit->out.data(), exit->out.size());
    if (values.size() != references.size()) return fail(Kind::internal, "op inject: unexpected output");
    return values;
  }

  std::optional<Secret> remembered(const std::string& reference) {
    const std::lock_guard lock(mutex_);
    const auto found = cache_.find(reference);
    const auto now = clock_.steady_now();
    if (found == cache_.end() || found->second.ends_at <= now) return std::nullopt;
    found->second.used_at = now;
    return found->second.value;
  }

  void remember(const std::string& reference, const Secret& value) {
    if (!settings_.cache_enabled) return;
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady_now();
    cache_[reference] = {.value = value, .ends_at = now + settings_.cache_ttl, .used_at = now};
    while (cache_.size() > settings_.cache_max_size)
      cache_.erase(std::ranges::min_element(cache_, {}, [](const auto& entry) { return entry.second.used_at; }));
  }

  const OnePasswordSettings settings_;
  const std::string program_;
  const Environment environment_;
  ProcessRunner& processes_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Remembered> cache_;  // by reference; guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> make_onepassword_cli(const OnePasswordSettings& settings,
                                                             const std::map<std::string, std::string>& environment,
                                                             ProcessRunner& processes, const Clock& clock) {
  const auto program = find_program("op", value_in(environment, "PATH"));
  if (!program)
    return fail(Kind::invalid,
                "SECRET_PROVIDER_ACCESS_TOKEN: a 1Password service account needs the command op in PATH; a Connect "
                "server, SECRET_PROVIDER_CONNECT_HOST, does without");
  Environment passed;
  for (const auto& [name, value] : environment)
    if (name == "PATH" || name == "HOME" || lower(name) == "https_proxy" || lower(name) == "no_proxy" ||
        name == "SSL_CERT_FILE" || name == "SSL_CERT_DIR")
      passed[name] = value;
  return std::make_unique<OnePasswordCli>(settings, *program, std::move(passed), processes, clock);
}

}  // namespace windlass
