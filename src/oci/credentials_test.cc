#include "oci/credentials.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "oci/auth_file.h"
#include "oci/credential_options.h"
#include "sys/crypto.h"
#include "sys/fake_process.h"
#include "sys/like_everybody_else.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string auth(const std::string& text) { return fmt::format(R"({{"auth":"{}"}})", base64_encode(text)); }

std::string shown(const Result<Credential>& found) {
  if (!found) return "error: " + found.error().message;
  if (const auto* basic = std::get_if<BasicCredential>(&*found)) return basic->user + ":" + basic->password.reveal();
  if (const auto* token = std::get_if<IdentityToken>(&*found)) return "identity " + token->token.reveal();
  if (const auto* token = std::get_if<RegistryToken>(&*found)) return "registry " + token->token.reveal();
  return "anonymous";
}

using Lines = std::vector<std::string>;

// What each warning that a credential helper is missing, or is not run, says of it.
Lines warnings(const std::string& log, const std::string& why = "not found") {
  Lines found;
  for (const auto line : split(log, '\n'))
    if (line.find("\"level\":\"warning\",\"msg\":\"credential helper " + why) != line.npos)
      found.emplace_back(line.substr(line.find("\"program\"")));
  return found;
}

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    auto name = (fs::temp_directory_path() / "windlass-credentials-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    options.config_file = folder / "config.json";
    options.helper_environment = {{"PATH", "/usr/bin"}, {"AWS_REGION", "eu-west-1"}};
  }
  ~CredentialsTest() override { fs::remove_all(folder); }

  void write(const std::string& text, const char* name = "config.json") { std::ofstream(folder / name) << text; }
  std::string find(const std::string& reference) {
    if (!source) source = CredentialSource::make(options, processes, Log(Log::Options{.level = LogLevel::critical}));
    return shown(source->find(*Reference::parse(reference), Deadline::in(5s)));
  }
  Status check() { return CredentialSource::make(options, processes, Log())->check(); }

  fs::path folder;
  CredentialSource::Options options;
  FakeProcessRunner processes;
  std::unique_ptr<CredentialSource> source;
};

// oci 5
TEST_F(CredentialsTest, AreFoundByKey) {
  write(R"({"auths":{)"
        R"("ghcr.io/org/app":)" +
        auth("app:1") + R"(,"ghcr.io":)" + auth("host:2") + R"(,"quay.io/org":)" + auth("org:3") +
        R"(,"https://index.docker.io/v1/":)" + auth("hub:4") + R"(,"https://old.example/v2/":)" + auth("old:5") +
        R"(,"http://plain.example":)" + auth("plain:11") + R"(,"https://p.example:5000/v1/":)" + auth("p:12") +
        R"(,"r.example:5000":)" + auth("port:6") +
        R"(,"u.example":{"username":"user","password":"7"},"i.example":{"auth":"eDp5","identitytoken":"id8"},)"
        R"("t.example":{"registrytoken":"tok9"},"nul.example":)" +
        auth(std::string("nul:10\0", 7)) + R"(,"colon.example":)" + auth("c:a:b") + R"(,"none.example":{}}})");
  const std::pair<const char*, const char*> rows[] = {
      {"ghcr.io/org/app", "app:1"},
      {"ghcr.io/org/other", "host:2"},
      {"quay.io/org/app", "org:3"},
      {"quay.io/org/deep/app", "org:3"},
      {"quay.io/organisation/app", "anonymous"},
      {"ubuntu", "hub:4"},
      {"old.example/app", "old:5"},
      {"plain.example/app", "plain:11"},
      {"p.example:5000/app", "p:12"},
      {"r.example:5000/app", "port:6"},
      {"r.example/app", "anonymous"},
      {"u.example/app", "user:7"},
      {"i.example/app", "identity id8"},
      {"t.example/app", "registry tok9"},
      {"nul.example/app", "nul:10"},
      {"colon.example/app", "c:a:b"},
      {"none.example/app", "anonymous"},
      {"unknown.example/app", "anonymous"},
  };
  for (const auto& [reference, want] : rows) {
    SCOPED_TRACE(reference);
    EXPECT_EQ(find(reference), want);
  }
}

// oci 5: Podman, Skopeo and Buildah write Docker Hub as "docker.io"
TEST_F(CredentialsTest, AreFoundForDockerHubUnderItsOtherNames) {
  const std::string podman = R"("docker.io":)" + auth("podman:1"),
                    docker = R"("https://index.docker.io/v1/":)" + auth("docker:2");
  const std::string index = R"("index.docker.io/v1/":)" + auth("index:3"), org = R"("docker.io/me":)" + auth("org:4");
  const std::string app = R"("docker.io/me/app":)" + auth("app:5"),
                    own = R"("index.docker.io/me/app":)" + auth("own:6");
  const std::string registry_1 = R"("registry-1.docker.io":)" + auth("registry:7");
  const std::pair<Lines, const char*> rows[] = {
      {{podman}, "podman:1"},
      {{registry_1}, "registry:7"},
      {{registry_1, podman}, "podman:1"},
      {{R"("https://docker.io/v1/":)" + auth("url:8")}, "url:8"},
      {{podman, docker}, "docker:2"},
      {{docker, podman}, "docker:2"},
      {{podman, index}, "index:3"},
      {{index, podman}, "index:3"},
      {{org}, "org:4"},
      {{org, app}, "app:5"},
      {{app, docker}, "app:5"},
      {{app, own}, "own:6"},
      {{own, app}, "own:6"},
      {{R"("docker.io/other":)" + auth("other:9"), R"("x.docker.io":)" + auth("x:10")}, "anonymous"},
  };
  for (const auto& [entries, want] : rows) {
    const auto text = fmt::format(R"({{"auths":{{{}}}}})", fmt::join(entries, ","));
    SCOPED_TRACE(text);
    const auto file = AuthFile::parse(text);
    ASSERT_TRUE(file);
    EXPECT_EQ(shown(file->find(*Reference::parse("me/app"))), want);
    EXPECT_EQ(shown(file->find(*Reference::parse("r.example/me/app"))), "anonymous");
  }
}

TEST_F(CredentialsTest, FailOnlyWhereAnEntryIsBroken) {
  write(R"({"auths":{"bad.example":{"auth":"%%%"},"text.example":"YTpi","user.example":)" + auth(":pass") +
        R"(,"good.example":)" + auth("a:b") + "}}");
  EXPECT_TRUE(check());
  EXPECT_EQ(find("text.example/app"), "error: auths 'text.example' must be an object");
  EXPECT_EQ(find("bad.example/app"), "error: auth of 'bad.example' is not base64");
  EXPECT_EQ(find("user.example/app"), "error: auth of 'user.example' is not user:password");
  EXPECT_EQ(find("good.example/app"), "a:b");
}

TEST_F(CredentialsTest, AreReadAgainWhenTheFileChanges) {
  EXPECT_EQ(find("r.example/app"), "anonymous");
  write(R"({"auths":{"r.example":)" + auth("a:1") + "}}");
  EXPECT_EQ(find("r.example/app"), "a:1");
  write(R"({"auths":{"r.example":)" + auth("a:22") + "}}");
  EXPECT_EQ(find("r.example/app"), "a:22");
  fs::remove(options.config_file);
  EXPECT_EQ(find("r.example/app"), "anonymous");
}

TEST_F(CredentialsTest, ComeFromTheEnvironmentFirstAlsoWithoutAFile) {
  options.auth_config = Secret(R"({"auths":{"r.example":)" + auth("env:1") + "}}");
  EXPECT_EQ(find("r.example/app"), "env:1");
  write(R"({"auths":{"r.example":)" + auth("file:2") + R"(,"s.example":)" + auth("file:3") + "}}");
  EXPECT_EQ(find("r.example/app"), "env:1");
  EXPECT_EQ(find("s.example/app"), "file:3");
}

TEST_F(CredentialsTest, ComeFromPodmansFileOnlyWithoutDockers) {
  options.fallback_files = {folder / "absent.json", folder / "auth.json"};
  write(R"({"auths":{"r.example":)" + auth("podman:1") + "}}", "auth.json");
  EXPECT_EQ(find("r.example/app"), "podman:1");
  write("{}");
  EXPECT_EQ(find("r.example/app"), "anonymous");
}

TEST_F(CredentialsTest, StopTheStartWhenAFileIsBroken) {
  EXPECT_TRUE(check());
  write("{\"auths\":");
  EXPECT_FALSE(check());
  write("[]");
  EXPECT_EQ(check().error().message, options.config_file.string() + ": must be a JSON object");
  write("{}");
  EXPECT_TRUE(check());
  options.auth_config = Secret("{secret");
  EXPECT_EQ(check().error().message, "DOCKER_AUTH_CONFIG is not valid JSON of the form {\"auths\":{…}}");
}

TEST_F(CredentialsTest, StopTheStartWhenAFileCannotBeRead) {  // oci 5
  const auto fault = "reading registry credentials: reading " + options.config_file.string();
  write("{}");
  fs::permissions(options.config_file, fs::perms::none);
  {
    const LikeEverybodyElse reader;
    EXPECT_EQ(check().error().message, fault + ": permission denied");
  }
  fs::remove(options.config_file);
  fs::create_directory(options.config_file);
  EXPECT_EQ(check().error().message, fault + ": is a directory");
}

TEST_F(CredentialsTest, AskAHelper) {
  write(R"({"credHelpers":{"gcr.io":"gcloud"},"credsStore":"pass-1"})");
  processes.answer = [](const Command& command) -> Result<Exit> {
    return Exit{.out = command.program == "docker-credential-gcloud"
                           ? R"({"ServerURL":"gcr.io","Username":"u","Secret":"s"})"
                           : R"({"Username":"<token>","Secret":"id"})"};
  };
  EXPECT_EQ(find("gcr.io/p/app"), "u:s");
  EXPECT_EQ(find("ubuntu"), "identity id");
  ASSERT_EQ(processes.ran.size(), 2u);
  EXPECT_EQ(processes.ran[0].arguments, std::vector<std::string>{"get"});
  EXPECT_EQ(processes.ran[0].input, "gcr.io");
  EXPECT_EQ(processes.ran[0].output_bytes_max, 65536u);
  EXPECT_EQ(processes.ran[0].environment, options.helper_environment);
  EXPECT_EQ(processes.ran[1].program, "docker-credential-pass-1");
  EXPECT_EQ(processes.ran[1].input, "https://index.docker.io/v1/");
  EXPECT_EQ(find("gcr.io/p/app"), "u:s");
  EXPECT_EQ(processes.ran.size(), 2u) << "an answer serves the whole run";
}

// As Podman does: what it has stored there has that name.
TEST_F(CredentialsTest, AskAHelperOfDockerHubForTheNameThatTheFileHas) {
  const std::pair<const char*, std::string> rows[] = {
      {R"({"credHelpers":{"docker.io":"hub"},"credsStore":"other"})", "docker-credential-hub docker.io"},
      {R"({"credHelpers":{"docker.io":"hub","index.docker.io":"index"}})",
       "docker-credential-index https://index.docker.io/v1/"},
      {R"({"credHelpers":{"https://index.docker.io/v1/":"docker","docker.io":"hub"}})",
       "docker-credential-docker https://index.docker.io/v1/"},
  };
  processes.answer = [](const Command&) { return Exit{.out = R"({"Username":"u","Secret":"s"})"}; };
  for (const auto& [text, want] : rows) {
    SCOPED_TRACE(text);
    source.reset();
    write(text);
    EXPECT_EQ(find("me/app"), "u:s");
    EXPECT_EQ(processes.ran.back().program + " " + processes.ran.back().input, want);
  }
}

// Docker itself reads only its own name of the Hub, and stores elsewhere.
TEST_F(CredentialsTest, GoOnWhereTheHelperOfDockerHubHasNothing) {
  processes.answer = [](const Command& command) {
    const bool is_dockers = command.program == "docker-credential-other" && command.input.starts_with("https://");
    return is_dockers ? Exit{.out = R"({"Username":"u","Secret":"s"})"}
                      : Exit{.code = 1, .out = "credentials not found in native keychain\n"};
  };
  write(R"({"credHelpers":{"docker.io":"other"},"credsStore":"other"})");
  EXPECT_EQ(find("me/app"), "u:s");
  source.reset();
  write(R"({"credHelpers":{"docker.io":"hub"},"auths":{"https://index.docker.io/v1/":)" + auth("docker:2") + "}}");
  EXPECT_EQ(find("me/app"), "docker:2");
}

TEST_F(CredentialsTest, WaitHalfAMinuteForAHelper) {  // oci 5
  struct SlowHelper final : ProcessRunner {
    std::chrono::milliseconds left{};
    Result<Exit> run(const Command&, const Deadline& deadline) override {
      left = deadline.left();
      return Exit{.timed_out = true};
    }
  } helper;
  write(R"({"credsStore":"x"})");
  const auto slow = CredentialSource::make(options, helper, Log(Log::Options{.level = LogLevel::critical}));
  EXPECT_FALSE(slow->find(*Reference::parse("r.example/app"), Deadline::in(10min)));
  EXPECT_LE(helper.left, 30s);
  EXPECT_GT(helper.left, 20s);
}

TEST_F(CredentialsTest, SayWhatIsWrongWithAHelperWithoutItsOutput) {
  const struct {
    Exit exit;
    std::string want;
  } rows[] = {
      {{.code = 1, .out = "credentials not found in native keychain\n"}, "anonymous"},
      {{.code = 1, .out = "secret", .err = "secret"}, "error: docker-credential-x for r.example: exit code 1"},
      {{.timed_out = true}, "error: docker-credential-x for r.example: no answer within 30 s"},
      {{.out = "{}", .out_cut = true}, "error: docker-credential-x for r.example: answer is over 65536 bytes"},
      {{.out = "secret"}, "error: docker-credential-x for r.example: answer is not a JSON object"},
      {{.out = R"({"Username":"u","Secret":""})"}, "anonymous"},
  };
  write(R"({"credsStore":"x"})");
  for (const auto& row : rows) {
    source.reset();
    processes.answer = [&](const Command&) { return row.exit; };
    EXPECT_EQ(find("r.example/app"), row.want);
  }
}

TEST_F(CredentialsTest, DoWithoutAHelperThatIsNotThere) {
  write(R"({"credsStore":"gone","auths":{"r.example":)" + auth("a:b") + "}}");
  processes.answer = [](const Command&) -> Result<Exit> { return fail(Kind::not_found, "no such program"); };
  testing::internal::CaptureStderr();
  source = CredentialSource::make(options, processes, Log());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(find("r.example/app"), "a:b");
  EXPECT_EQ(find("s.example/app"), "anonymous");
  EXPECT_EQ(warnings(testing::internal::GetCapturedStderr()),
            (Lines{R"("program":"docker-credential-gone","registry":"r.example"})",
                   R"("program":"docker-credential-gone","registry":"s.example"})"}));
}

// oci 5, reliability/T14: within WSL Docker Desktop writes such names, and its programs may be in the PATH
TEST_F(CredentialsTest, DoWithoutAHelperOfWindows) {
  options.helper_environment["PATH"] = folder.string();
  for (const std::string name : {"desktop.exe", "wincred.exe"}) {
    SCOPED_TRACE(name);
    const auto program = folder / ("docker-credential-" + name);
    std::ofstream(program) << "#!/bin/sh";
    fs::permissions(program, fs::perms::owner_all);
    write(fmt::format(R"({{"credsStore":"{}","auths":{{"r.example":{}}}}})", name, auth("a:b")));
    testing::internal::CaptureStderr();
    EXPECT_TRUE(check());
    source = CredentialSource::make(options, processes, Log());
    for (int i = 0; i < 2; ++i) EXPECT_EQ(find("r.example/app"), "a:b");
    EXPECT_EQ(find("s.example/app"), "anonymous");
    const auto told = fmt::format(R"("program":"docker-credential-{}")", name);
    EXPECT_EQ(warnings(testing::internal::GetCapturedStderr(), "of Windows is not run"),
              (Lines{told + "}", told + R"(,"registry":"r.example"})", told + R"(,"registry":"s.example"})"}));
  }
  EXPECT_TRUE(processes.ran.empty());
}

// reliability/P13: whoever may send a webhook may name any host
TEST_F(CredentialsTest, RememberTheThousandServersThatWereAskedLast) {
  write(R"({"credsStore":"x"})");
  processes.answer = [](const Command&) { return Exit{.out = R"({"Username":"u","Secret":"s"})"}; };
  const auto host = [](int number) { return fmt::format("r{}.example/app", number); };
  for (int number = 0; number <= 1000; ++number) ASSERT_EQ(find(host(number)), "u:s");
  ASSERT_EQ(processes.ran.size(), 1001u);
  for (const int kept : {1, 500, 1000}) EXPECT_EQ(find(host(kept)), "u:s");
  EXPECT_EQ(processes.ran.size(), 1001u);
  EXPECT_EQ(find(host(0)), "u:s");
  EXPECT_EQ(processes.ran.size(), 1002u) << "forgotten, and asked again";
}

TEST_F(CredentialsTest, RememberTheThousandServersThatWereWarnedOfLast) {
  write(R"({"credsStore":"gone"})");
  processes.answer = [](const Command&) -> Result<Exit> { return fail(Kind::not_found, "no such program"); };
  const auto host = [](int number) { return fmt::format("r{}.example/app", number); };
  const auto warned = [&](int first, int last) {
    testing::internal::CaptureStderr();
    if (!source) source = CredentialSource::make(options, processes, Log());
    for (int number = first; number <= last; ++number) EXPECT_EQ(find(host(number)), "anonymous");
    return warnings(testing::internal::GetCapturedStderr()).size();
  };
  EXPECT_EQ(warned(0, 1000), 1001u);
  EXPECT_EQ(warned(1, 1000), 0u);
  EXPECT_EQ(warned(0, 0), 1u) << "forgotten, and warned of again";
}

TEST_F(CredentialsTest, AreFineAtTheStartWithoutAHelper) {  // oci 5
  write(R"({"credHelpers":{"gcr.io":"gone-1"},"credsStore":"gone-2"})");
  testing::internal::CaptureStderr();
  EXPECT_TRUE(check());
  EXPECT_EQ(warnings(testing::internal::GetCapturedStderr()),
            (Lines{R"("program":"docker-credential-gone-1"})", R"("program":"docker-credential-gone-2"})"}));
}

// reliability/T14
TEST_F(CredentialsTest, RefuseHelperNamesThatArePaths) {
  for (const auto* name : {"../x", "a/b", "A", "a b", "a.b", "../x.exe", ".exe", "a.exe.exe"}) {
    source.reset();
    write(fmt::format(R"({{"credsStore":"{}"}})", name));
    EXPECT_EQ(find("r.example/app"),
              fmt::format("error: credential helper '{}' may hold small letters, digits and '-' only", name));
  }
  EXPECT_TRUE(processes.ran.empty());
}

// oci 5: Docker's file, and Podman's in the order in which Podman looks for them
TEST(CredentialOptions, AreFoundInTheEnvironment) {
  const struct {
    std::map<std::string, std::string> environment;
    std::string file;
    Lines podman;
  } rows[] = {
      {{{"HOME", "/h"}}, "/h/.docker/config.json", {"/h/.config/containers/auth.json"}},
      {{{"HOME", "/h"}, {"DOCKER_CONFIG", "/d"}}, "/d/config.json", {"/h/.config/containers/auth.json"}},
      {{{"HOME", "/h"}, {"REGISTRY_AUTH_FILE", "/r.json"}, {"XDG_RUNTIME_DIR", "/run/1"}, {"XDG_CONFIG_HOME", "/c"}},
       "/h/.docker/config.json",
       {"/r.json", "/run/1/containers/auth.json", "/c/containers/auth.json"}},
  };
  for (const auto& row : rows) {
    const auto options = credential_options(row.environment);
    EXPECT_EQ(options.config_file, row.file);
    EXPECT_EQ(Lines(options.fallback_files.begin(), options.fallback_files.end()), row.podman);
  }
}

// oci 5: helpers get what they find their keys, their cloud and their way out with, and nothing that is ours
TEST(CredentialOptions, ShowHelpersTheirOwnVariablesOnly) {
  const std::map<std::string, std::string> theirs{{"PATH", "/bin"},
                                                  {"HOME", "/h"},
                                                  {"USER", "deploy"},
                                                  {"AWS_REGION", "eu-west-1"},
                                                  {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"},
                                                  {"GOOGLE_APPLICATION_CREDENTIALS", "/g.json"},
                                                  {"CLOUDSDK_CONFIG", "/g"},
                                                  {"AZURE_TENANT_ID", "t"},
                                                  {"IDENTITY_ENDPOINT", "http://i"},
                                                  {"MSI_ENDPOINT", "http://m"},
                                                  {"MSI_SECRET", "m"},
                                                  {"GNUPGHOME", "/gpg"},
                                                  {"PASSWORD_STORE_DIR", "/pass"},
                                                  {"DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/bus"},
                                                  {"XDG_RUNTIME_DIR", "/run/1"},
                                                  {"XDG_CONFIG_HOME", "/c"},
                                                  {"DOCKER_CONFIG", "/d"},
                                                  {"SSL_CERT_FILE", "/ca.pem"},
                                                  {"SSL_CERT_DIR", "/certs"},
                                                  {"HTTPS_PROXY", "http://proxy"},
                                                  {"no_proxy", "localhost"}};
  auto all = theirs;
  all.insert({{"WEBHOOK_SECRET", "ours"},
              {"API_SECRET", "ours"},
              {"DOCKER_AUTH_CONFIG", "ours"},
              {"SECRET_PROVIDER_ACCESS_TOKEN", "ours"},
              {"SOPS_AGE_KEY", "ours"},
              {"VAULT_TOKEN", "ours"},
              {"LD_PRELOAD", "x"},
              {"AWS_PROFILE", ""}});
  EXPECT_EQ(credential_options(all).helper_environment, theirs);
}

}  // namespace
}  // namespace windlass
