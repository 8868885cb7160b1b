#include "oci/credentials.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>

#include "base/text.h"
#include "oci/auth_file.h"
#include "sys/files.h"
#include "sys/json.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kFileBytesMax = 4 << 20;
constexpr std::size_t kHelperBytesMax = 64 << 10;
constexpr auto kHelperTime = 30s;
constexpr auto kHelperAnswerLife = 60s;       // one run asks for several blobs; each asking starts a process
constexpr std::size_t kRememberedMax = 1000;  // answers, and warnings: whoever may send a webhook may name any host

// "[a-z0-9-]+": the name becomes part of a program's name (reliability/T14).
bool is_helper_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == name.npos;
}

// "desktop.exe", "wincred.exe": Docker Desktop writes them into the config file within WSL.
bool is_windows_helper(std::string_view name) {
  constexpr std::string_view suffix = ".exe";
  return name.ends_with(suffix) && is_helper_name(name.substr(0, name.size() - suffix.size()));
}

bool is_in_path(const std::string& program, const std::map<std::string, std::string>& environment) {
  const auto path = environment.find("PATH");
  if (path == environment.end()) return false;
  for (const auto folder : split(path->second, ':'))
    if (::access(fmt::format("{}/{}", folder, program).c_str(), X_OK) == 0) return true;
  return false;
}

class DockerCredentials final : public CredentialSource {
 public:
  DockerCredentials(Options options, ProcessRunner& processes, Log log)
      : options_(std::move(options)), processes_(processes), log_(std::move(log)) {}

  Status check() override {
    auto file = current_file();
    if (!file) return tl::unexpected(file.error());
    for (const auto& name : (*file)->helper_names()) {
      const auto shown = "docker-credential-" + printable(name, 64);
      if (is_windows_helper(name))
        log_.warning("credential helper of Windows is not run", {{"program", shown}});
      else if (!is_in_path("docker-credential-" + name, options_.helper_environment))
        log_.warning("credential helper not found", {{"program", shown}});
    }
    auto environment = auth_config();
    return environment ? Status() : tl::unexpected(environment.error());
  }

  Result<Credential> find(const Reference& reference, const Deadline& deadline) override {
    auto environment = auth_config();
    if (!environment) return tl::unexpected(environment.error());
    auto found = environment->find(reference);
    if (!found || !is_anonymous(*found)) return found;

    auto file = current_file();
    if (!file) return tl::unexpected(file.error());
    for (const auto& helper : (*file)->helpers_for(reference)) {
      auto answer = ask_helper(helper.name, helper.server, deadline);
      if (!answer) return tl::unexpected(answer.error());
      if (*answer && (helper.is_last || !is_anonymous(**answer))) return **answer;
    }
    return (*file)->find(reference);
  }

 private:
  struct HelperAnswer {
    Credential credential;
    SteadyClock::time_point expires;
  };

  static bool is_anonymous(const Credential& credential) { return std::holds_alternative<std::monostate>(credential); }

  Result<AuthFile> auth_config() const {
    if (options_.auth_config.empty()) return AuthFile();
    auto parsed = AuthFile::parse(options_.auth_config.reveal());
    // the text of the parser may quote the value: only its kind is told
    if (!parsed) return fail(Kind::invalid, "DOCKER_AUTH_CONFIG is not valid JSON of the form {\"auths\":{…}}");
    return parsed;
  }

  // The Docker file; where there is none, Podman's.
  Result<std::shared_ptr<const AuthFile>> current_file() {
    auto path = options_.config_file;
    auto stamp = stamp_of(path);
    for (const auto& other : options_.fallback_files) {
      if (stamp) break;
      path = other;
      stamp = stamp_of(path);
    }
    const std::lock_guard lock(mutex_);
    if (!stamp) return std::make_shared<const AuthFile>();
    if (file_ && read_path_ == path && read_stamp_ == *stamp) return file_;
    auto text = read_file(path, kFileBytesMax);
    if (!text) return while_doing("reading registry credentials", text.error());
    auto parsed = AuthFile::parse(*text);
    if (!parsed) return fail(Kind::invalid, fmt::format("{}: {}", path.string(), parsed.error().message));
    file_ = std::make_shared<const AuthFile>(std::move(*parsed));
    read_path_ = path;
    read_stamp_ = *stamp;
    answers_.clear();
    return file_;
  }

  // Nothing: there is no such program, or one that we do not run; look elsewhere.
  Result<std::optional<Credential>> ask_helper(const std::string& name, const std::string& server,
                                               const Deadline& deadline) {
    const auto program = "docker-credential-" + name;
    if (is_windows_helper(name)) {
      warn_once("credential helper of Windows is not run, trying without it", program, server);
      return std::optional<Credential>();
    }
    if (!is_helper_name(name))
      return fail(Kind::invalid, fmt::format("credential helper '{}' may hold small letters, digits and '-' only",
                                             printable(name, 64)));
    const auto key = name + "\n" + server;
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = answers_.find(key); known != answers_.end() && SteadyClock::now() < known->second.expires)
        return std::optional(known->second.credential);
    }
    const Command command{.program = program,
                          .arguments = {"get"},
                          .environment = options_.helper_environment,
                          .input = server,
                          .output_bytes_max = kHelperBytesMax};
    auto exit = processes_.run(command, deadline.within(kHelperTime));
    if (!exit && exit.error().kind == Kind::not_found) {
      warn_once("credential helper not found, trying without it", program, server);
      return std::optional<Credential>();
    }
    if (!exit) return while_doing("running " + program, exit.error());
    auto credential = judge(program, server, *exit);
    if (!credential) return tl::unexpected(credential.error());
    remember(key, *credential);
    return std::optional(*credential);
  }

  // All answers live equally long: what is over is also what goes first.
  void remember(const std::string& key, const Credential& credential) {
    const std::lock_guard lock(mutex_);
    const auto now = SteadyClock::now();
    std::erase_if(answers_, [&](const auto& answer) { return answer.second.expires <= now; });
    answers_[key] = {credential, now + kHelperAnswerLife};
    if (answers_.size() > kRememberedMax)
      answers_.erase(std::ranges::min_element(answers_, {}, [](const auto& answer) { return answer.second.expires; }));
  }

  // A helper's output may hold the secret: none of it is ever shown.
  static Result<Credential> judge(const std::string& program, const std::string& server, const Exit& exit) {
    const auto refuse = [&](Kind kind, std::string_view why) {
      return fail(kind, fmt::format("{} for {}: {}", program, server, why));
    };
    if (exit.timed_out) return refuse(Kind::unavailable, "no answer within 30 s");
    if (exit.out_cut) return refuse(Kind::invalid, "answer is over 65536 bytes");
    if (exit.code != 0) {
      // the words of docker-credential-helpers, which Docker itself compares
      if (trim(exit.out) == "credentials not found in native keychain") return Credential();
      return refuse(Kind::denied, fmt::format("exit code {}", exit.code));
    }
    const auto value = parse_json(exit.out);
    const auto* object = value ? value->if_object() : nullptr;
    if (!object) return refuse(Kind::invalid, "answer is not a JSON object");
    const std::string user(text_of(*object, "Username")), secret(text_of(*object, "Secret"));
    if (secret.empty()) return Credential();
    if (user == "<token>") return Credential(IdentityToken{Secret(secret)});
    return Credential(BasicCredential{user, Secret(secret)});
  }

  void warn_once(std::string_view warning, const std::string& program, const std::string& server) {
    {
      const std::lock_guard lock(mutex_);
      const auto helper_and_server = program + " " + server;
      if (std::ranges::find(warned_, helper_and_server) != warned_.end()) return;
      warned_.push_back(helper_and_server);
      if (warned_.size() > kRememberedMax) warned_.pop_front();
    }
    log_.warning(warning, {{"program", program}, {"registry", server}});
  }

  Options options_;
  ProcessRunner& processes_;
  Log log_;
  std::mutex mutex_;  // of what follows
  std::shared_ptr<const AuthFile> file_;
  std::filesystem::path read_path_;
  FileStamp read_stamp_;
  std::map<std::string, HelperAnswer> answers_;
  std::deque<std::string> warned_;  // "<program> <server>", oldest first
};

}  // namespace

std::unique_ptr<CredentialSource> CredentialSource::make(Options options, ProcessRunner& processes, Log log) {
  return std::make_unique<DockerCredentials>(std::move(options), processes, std::move(log));
}

}  // namespace windlass
