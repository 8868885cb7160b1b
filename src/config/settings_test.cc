#include "config/settings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "config/passed_environment.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Faults = std::vector<std::string>;

Faults faults_of(const Environment& environment) {
  const auto settings = read_settings(environment);
  return settings ? Faults{} : settings.error().faults;
}

class SettingFiles : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/windlass-settings-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& content, mode_t mode = 0600) {
    const auto path = folder_ / name;
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  fs::path folder_;
};

TEST(Settings, HaveDefaultsForEverything) {
  const auto settings = read_settings({});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->http_port, 80);
  EXPECT_EQ(settings->log_level, LogLevel::info);
  EXPECT_EQ(settings->max_payload_size, 1048576u);
  EXPECT_EQ(settings->max_concurrent_deployments, 4u);
  EXPECT_EQ(settings->max_deployment_loop_count, 2u);
  EXPECT_EQ(settings->data_mount_path, "/data");
  EXPECT_EQ(settings->deploy_config_base_dir, "/");
  EXPECT_EQ(settings->job_timeout, 30min);
  EXPECT_EQ(settings->shutdown_grace, 60s);
  EXPECT_EQ(settings->trusted_proxy_networks,
            (Faults{"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128"}));
  EXPECT_EQ(settings->trusted_proxy_header, "X-Forwarded-For");
  EXPECT_TRUE(settings->api_secret.empty());
  EXPECT_TRUE(settings->webhook_secret.empty());
  EXPECT_TRUE(settings->docker_quiet_deploy);
  EXPECT_EQ(settings->docker_config_dir, "");
  EXPECT_EQ(settings->data_host_path, "");
  EXPECT_FALSE(settings->config_strict || settings->pass_env || settings->auto_rollback);
  EXPECT_EQ(settings->oci_max_extracted_bytes, 1u << 30);
  EXPECT_EQ(settings->oci_max_extracted_entries, 100'000u);
  EXPECT_EQ(settings->oci_max_file_bytes, 512u << 20);
  EXPECT_TRUE(settings->registry_hooks.empty() && settings->polls.empty());
  EXPECT_EQ(settings->warnings, Faults{});
}

TEST(Settings, AreReadFromTheEnvironment) {
  const auto settings = read_settings({{"LOG_LEVEL", "WARN"},
                                       {"HTTP_PORT", "8080"},
                                       {"TRUSTED_PROXY_NETWORKS", "10.1.2.3/8, ::1/128,10.0.0.0/8,,"},
                                       {"TRUSTED_PROXY_HEADER", "X-Real-IP"},
                                       {"API_SECRET", " kept as it is, spaces too "},
                                       {"WEBHOOK_SECRET", "0123456789abcdef"},
                                       {"WEBHOOK_SECRET_PREVIOUS", "the one before"},
                                       {"MAX_PAYLOAD_SIZE", "1"},
                                       {"MAX_CONCURRENT_DEPLOYMENTS", "12"},
                                       {"DATA_MOUNT_PATH", " /srv//x/../data/ "},
                                       {"DATA_HOST_PATH", "/var/lib/data"},
                                       {"DEPLOY_CONFIG_BASE_DIR", "apps/./prod//"},
                                       {"DOCKER_QUIET_DEPLOY", "F"},
                                       {"CONFIG_STRICT", "1"},
                                       {"ALLOW_PROVIDER_SERVICES", "true"},
                                       {"AUTO_ROLLBACK", "True"},
                                       {"MAX_DEPLOYMENT_LOOP_COUNT", "0"},
                                       {"PASS_ENV", "t"},
                                       {"JOB_TIMEOUT", "1h30m"},
                                       {"SHUTDOWN_GRACE", "1.5s"},
                                       {"OCI_MAX_EXTRACTED_BYTES", "1000"},
                                       {"OCI_MAX_EXTRACTED_ENTRIES", "100"},
                                       {"OCI_MAX_FILE_BYTES", "10"},
                                       {"OCI_INSECURE_REGISTRIES", "Reg:5000, 10.0.0.1,reg:5000"},
                                       {"OCI_ALLOWED_ARTIFACTS", "ghcr.io/acme/**, docker.io/*/app#prod"},
                                       {"DOCKER_HOST", "tcp://engine:2376"},
                                       {"DOCKER_CERT_PATH", "/certs"},
                                       {"DOCKER_TLS_VERIFY", "0"},
                                       {"DOCKER_API_VERSION", "1.41"},
                                       {"DOCKER_AUTH_CONFIG", R"({"auths":{}})"},
                                       {"HTTP_PROXY", "http://user:pass@proxy:3128/"},
                                       {"https_proxy", "http://user:hunt%2Fer%402@proxy:3128"},
                                       {"HOME", "/root"}});
  ASSERT_TRUE(settings) << settings.error().faults.front();
  EXPECT_EQ(settings->log_level, LogLevel::warning);
  EXPECT_EQ(settings->http_port, 8080);
  EXPECT_EQ(settings->trusted_proxy_networks, (Faults{"10.0.0.0/8", "::1/128"}));
  EXPECT_EQ(settings->trusted_proxy_header, "X-Real-IP");
  EXPECT_EQ(settings->api_secret.reveal(), " kept as it is, spaces too ");
  EXPECT_EQ(settings->webhook_secret.reveal(), "0123456789abcdef");
  EXPECT_EQ(settings->webhook_secret_previous.reveal(), "the one before");
  EXPECT_EQ(settings->max_payload_size, 1u);
  EXPECT_EQ(settings->max_concurrent_deployments, 12u);
  EXPECT_EQ(settings->max_deployment_loop_count, 0u);
  EXPECT_EQ(settings->data_mount_path, "/srv/data");
  EXPECT_EQ(settings->data_host_path, "/var/lib/data");
  EXPECT_EQ(settings->deploy_config_base_dir, "/apps/prod");
  EXPECT_FALSE(settings->docker_quiet_deploy);
  EXPECT_TRUE(settings->config_strict);
  EXPECT_TRUE(settings->auto_rollback);
  EXPECT_TRUE(settings->pass_env);
  EXPECT_EQ(settings->job_timeout, 90min);
  EXPECT_EQ(settings->shutdown_grace, 1500ms);
  EXPECT_EQ(settings->oci_max_extracted_bytes, 1000u);
  EXPECT_EQ(settings->oci_max_extracted_entries, 100u);
  EXPECT_EQ(settings->oci_max_file_bytes, 10u);
  EXPECT_EQ(settings->oci_insecure_registries, (Faults{"reg:5000", "10.0.0.1"}));
  EXPECT_EQ(settings->oci_allowed_artifacts, (Faults{"ghcr.io/acme/**", "docker.io/*/app#prod"}));
  EXPECT_EQ(settings->docker_host, "tcp://engine:2376");
  EXPECT_EQ(settings->docker_cert_path, "/certs");
  EXPECT_TRUE(settings->docker_tls_verify);
  EXPECT_EQ(settings->docker_api_version, "1.41");
  EXPECT_EQ(settings->docker_auth_config.reveal(), R"({"auths":{}})");
  EXPECT_EQ(settings->docker_config_dir, "/root/.docker");
  EXPECT_EQ(settings->warnings,
            (Faults{"API_SECRET begins or ends with white space, which counts as part of the secret",
                    "no certificate is checked of these registries, and credentials go to them over plain HTTP: "
                    "reg:5000, 10.0.0.1"}));
}

TEST(Settings, TreatEmptyAsUnset) {
  Environment environment;
  for (const auto* name : {"LOG_LEVEL", "HTTP_PORT", "METRICS_PORT", "TRUSTED_PROXY_NETWORKS", "API_SECRET",
                           "API_SECRET_FILE", "MAX_PAYLOAD_SIZE", "DATA_MOUNT_PATH", "JOB_TIMEOUT", "PASS_ENV",
                           "OCI_TRUST_POLICY", "POLL_CONFIG", "DOCKER_TLS_VERIFY", "DEPLOY_CONFIG_BASE_DIR"})
    environment[name] = "";
  const auto settings = read_settings(environment);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->http_port, 80);
  EXPECT_FALSE(settings->docker_tls_verify);
}

// name, value, the one fault: config 1.1, 2
const std::tuple<std::string, std::string, std::string> kFaults[] = {
    {"LOG_LEVEL", "loud", "LOG_LEVEL: \"loud\": invalid log level, must be one of debug, info, warn, error"},
    {"LOG_LEVEL", "critical", "LOG_LEVEL: \"critical\": invalid log level, must be one of debug, info, warn, error"},
    {"HTTP_PORT", "0", "HTTP_PORT: \"0\" is not a whole number from 1 to 65535"},
    {"HTTP_PORT", "65536", "HTTP_PORT: \"65536\" is not a whole number from 1 to 65535"},
    {"HTTP_PORT", " 80", "HTTP_PORT: \" 80\" is not a whole number from 1 to 65535"},
    {"HTTP_PORT", "80\n", "HTTP_PORT: \"80\\x0a\" is not a whole number from 1 to 65535"},
    {"DEPLOY_POLICY", "Restricted", "DEPLOY_POLICY: \"Restricted\": must be compat or restricted"},
    {"HTTP_PORT", "9120", "HTTP_PORT and METRICS_PORT cannot be the same port number"},
    {"HTTP_TLS_CERT_FILE", "/dev/null", "HTTP_TLS_CERT_FILE and HTTP_TLS_KEY_FILE must be set together"},
    {"HTTP_TLS_KEY_FILE", " /dev/null ", "HTTP_TLS_CERT_FILE and HTTP_TLS_KEY_FILE must be set together"},
    {"TRUSTED_PROXY_NETWORKS", "10.0.0.1",
     "TRUSTED_PROXY_NETWORKS: invalid trusted proxy network \"10.0.0.1\": expected CIDR"},
    {"TRUSTED_PROXY_HEADER", "X Real", "TRUSTED_PROXY_HEADER: \"X Real\" is not the name of an HTTP header"},
    {"HTTP_PROXY", "http://user:hunter2@ho st", "HTTP_PROXY: not the URL of a proxy, http://host:port"},
    {"HTTP_PROXY", "http://pat:hunt@er2@proxy:3128", "HTTP_PROXY: not the URL of a proxy, http://host:port"},
    {"HTTP_PROXY", "http://pat:hunt er2@proxy:3128", "HTTP_PROXY: not the URL of a proxy, http://host:port"},
    {"HTTPS_PROXY", "http://pat:hunt/er2@proxy:3128", "HTTPS_PROXY: not the URL of a proxy, http://host:port"},
    {"http_proxy", "http://pat:hunt#er2@proxy:3128", "http_proxy: not the URL of a proxy, http://host:port"},
    {"https_proxy", "http://pat:hunt?er2@proxy:3128", "https_proxy: not the URL of a proxy, http://host:port"},
    {"MAX_PAYLOAD_SIZE", "0", "MAX_PAYLOAD_SIZE: \"0\" is not a whole number from 1 to 9223372036854775807"},
    {"MAX_PAYLOAD_SIZE", "1MB", "MAX_PAYLOAD_SIZE: \"1MB\" is not a whole number from 1 to 9223372036854775807"},
    {"MAX_CONCURRENT_DEPLOYMENTS", "0", "MAX_CONCURRENT_DEPLOYMENTS: \"0\" is not a whole number from 1 to 2147483647"},
    {"DATA_MOUNT_PATH", "data", "DATA_MOUNT_PATH must be an absolute Unix path, got \"data\""},
    {"DATA_HOST_PATH", "C:\\data", "DATA_HOST_PATH must be an absolute Unix path, got \"C:\\data\""},
    {"DEPLOY_CONFIG_BASE_DIR", "/a/../../b", "DEPLOY_CONFIG_BASE_DIR: \"/a/../../b\" leaves the source"},
    {"DEPLOY_CONFIG_BASE_DIR", "..", "DEPLOY_CONFIG_BASE_DIR: \"..\" leaves the source"},
    {"DOCKER_QUIET_DEPLOY", "yes", "DOCKER_QUIET_DEPLOY: \"yes\" is not a boolean, expected true or false"},
    {"DOCKER_SWARM_FEATURES", "no", "DOCKER_SWARM_FEATURES: \"no\" is not a boolean, expected true or false"},
    {"API_ALLOW_UNMANAGED", "no", "API_ALLOW_UNMANAGED: \"no\" is not a boolean, expected true or false"},
    {"ALLOW_PROVIDER_SERVICES", "yes", "ALLOW_PROVIDER_SERVICES: \"yes\" is not a boolean, expected true or false"},
    {"AUTO_ROLLBACK", "tRUE", "AUTO_ROLLBACK: \"tRUE\" is not a boolean, expected true or false"},
    {"PASS_ENV", " 1", "PASS_ENV: \" 1\" is not a boolean, expected true or false"},
    {"CONFIG_STRICT", "on", "CONFIG_STRICT: \"on\" is not a boolean, expected true or false"},
    {"INSTANCE_ID", "a b", "INSTANCE_ID: \"a b\" is not a name of up to 64 letters, digits and -_."},
    {"MAX_DEPLOYMENT_LOOP_COUNT", "-1", "MAX_DEPLOYMENT_LOOP_COUNT: \"-1\" is not a whole number from 0 to 4294967295"},
    {"SCHEDULER_ENABLED", "no", "SCHEDULER_ENABLED: \"no\" is not a boolean, expected true or false"},
    {"JOB_TIMEOUT", "30", "JOB_TIMEOUT: \"30\" is not a duration such as 90s, 30m or 1h30m"},
    {"JOB_TIMEOUT", "0", "JOB_TIMEOUT: \"0\" is too short, expected at least 1000ms"},
    {"SHUTDOWN_GRACE", "-1s", "SHUTDOWN_GRACE: \"-1s\" is too short, expected at least 0ms"},
    {"OCI_MAX_FILE_BYTES", "-1", "OCI_MAX_FILE_BYTES: \"-1\" is not a whole number from 1 to 9223372036854775807"},
    {"OCI_INSECURE_REGISTRIES", "http://reg",
     "OCI_INSECURE_REGISTRIES: invalid OCI insecure registry \"http://reg\": expected host or host:port"},
    {"OCI_INSECURE_REGISTRIES", "good, me@reg",
     "OCI_INSECURE_REGISTRIES: invalid OCI insecure registry \"me@reg\": expected host or host:port"},
    {"OCI_INSECURE_REGISTRIES", "reg/path",
     "OCI_INSECURE_REGISTRIES: invalid OCI insecure registry \"reg/path\": expected host or host:port"},
    {"OCI_INSECURE_REGISTRIES", "reg:0",
     "OCI_INSECURE_REGISTRIES: invalid OCI insecure registry \"reg:0\": expected host or host:port"},
    {"OCI_INSECURE_REGISTRIES", "reg:65536",
     "OCI_INSECURE_REGISTRIES: invalid OCI insecure registry \"reg:65536\": expected host or host:port"},
    {"OCI_ALLOWED_ARTIFACTS", "oci://reg/a",
     "OCI_ALLOWED_ARTIFACTS: \"oci://reg/a\" is not a pattern of registry/repository[#target]: * and ** stand for "
     "anything, nothing else does"},
    {"OCI_ALLOWED_ARTIFACTS", "reg/[ab]",
     "OCI_ALLOWED_ARTIFACTS: \"reg/[ab]\" is not a pattern of registry/repository[#target]: * and ** stand for "
     "anything, nothing else does"},
    {"DOCKER_AUTH_CONFIG", "hunter2", "DOCKER_AUTH_CONFIG: not a JSON object"},
};

TEST(Settings, SayWhatIsWrongWithAValue) {
  for (const auto& [name, value, fault] : kFaults) {
    SCOPED_TRACE(name + "=" + value);
    EXPECT_EQ(faults_of({{name, value}}), Faults{fault});
  }
}

// config 2.1: something of every step, and nothing hides anything else
TEST(Settings, ReportEveryFaultAtOnce) {
  const Environment environment{
      {"LOG_LEVEL", "loud"},                       // 13
      {"HTTP_PORT", "9120"},                       // 15
      {"HTTP_TLS_CERT_FILE", "/dev/null"},         // 16
      {"TRUSTED_PROXY_NETWORKS", "10.0.0.1"},      // 9
      {"HTTP_PROXY", "http://ho st"},              // 17
      {"WEBHOOK_SECRET_FILE", "/nowhere/secret"},  // 2
      {"DATA_MOUNT_PATH", "data"},                 // 18
      {"MAX_PAYLOAD_SIZE", "0"},                   // 3
      {"JOB_TIMEOUT", "soon"},                     // 1
      {"OCI_INSECURE_REGISTRIES", "http://reg"},   // 10
      {"REGISTRY_WEBHOOKS", "- {format: quay, secret: s}"},
      {"POLL_CONFIG", "- {source: oci}\n- [\n"},  // 4
      {"OCI_TRUST_POLICY", "enabled: maybe"},     // 8
      {"CERT_ROTATION_ENABLED", "true"},          // not built yet
  };
  for (const auto& [name, value] : environment) EXPECT_EQ(faults_of({{name, value}}).size(), 1u) << name;
  const auto faults = faults_of(environment);
  EXPECT_EQ(faults.size(), environment.size()) << fmt::format("{}", fmt::join(faults, "\n"));
}

// config 1.2: every variable that has a twin, and how its content shows
TEST_F(SettingFiles, StandForTheVariable) {
  const struct {
    std::string name, content;
    std::function<bool(const Settings&)> is_read;
  } rows[] = {
      {"API_SECRET", "the api secret text", [](auto& s) { return s.api_secret.reveal() == "the api secret text"; }},
      {"WEBHOOK_SECRET", "the hook secret text",
       [](auto& s) { return s.webhook_secret.reveal() == "the hook secret text"; }},
      {"WEBHOOK_SECRET_PREVIOUS", "the one before",
       [](auto& s) { return s.webhook_secret_previous.reveal() == "the one before"; }},
      {"REGISTRY_WEBHOOKS", "- {format: quay, secret: t, allow: ['**']}",
       [](auto& s) { return s.registry_hooks.size() == 1; }},
      {"OCI_TRUST_POLICY", "verify_includes: false", [](auto& s) { return !s.oci_verify_includes; }},
      {"POLL_CONFIG", "- {source: oci, url: a}", [](auto& s) { return s.polls.size() == 1; }},
  };
  for (const auto& [name, content, is_read] : rows) {
    SCOPED_TRACE(name);
    const auto twin = name + "_FILE";
    const auto settings = read_settings({{twin, file(name, "\n " + content + " \n\n")}});
    ASSERT_TRUE(settings) << settings.error().faults.at(0);
    EXPECT_TRUE(is_read(*settings)) << "trimmed";
    const auto empty = read_settings({{name, content}, {twin, file("empty", " \n")}});
    ASSERT_TRUE(empty) << empty.error().faults.at(0);
    EXPECT_TRUE(is_read(*empty)) << "the variable wins over an empty file";
    EXPECT_EQ(faults_of({{name, content}, {twin, file(name, content)}}).size(), 1u) << "not both";
    EXPECT_EQ(faults_of({{twin, "/nowhere/x"}}), Faults{twin + ": reading /nowhere/x: no such file or directory"});
    const auto sealed = file("sealed", "sops ENC[" + name + "]");
    EXPECT_EQ(
        faults_of({{twin, sealed}}),
        Faults{fmt::format("{}: \"{}\" is encrypted with SOPS, only windlass serve decrypts it: give it in plain text",
                           twin, sealed)});
    const Decrypt decrypt = [&](const std::string& path,
                                const std::string& text) -> Result<std::optional<std::string>> {
      EXPECT_EQ(path, sealed);
      EXPECT_EQ(text, "sops ENC[" + name + "]");
      return std::optional("\n" + content + "\n");
    };
    const auto decrypted = read_settings({{twin, sealed}}, {.is_artifact = {}, .decrypt = decrypt, .of_service = {}});
    ASSERT_TRUE(decrypted) << decrypted.error().faults.at(0);
    EXPECT_TRUE(is_read(*decrypted)) << "decrypted";
  }
}

TEST_F(SettingFiles, HoldSecrets) {
  const auto settings = read_settings({{"API_SECRET_FILE", file("api", " \n the api secret text\n\n")},
                                       {"WEBHOOK_SECRET_FILE", file("hook", "the webhook secret text\n")}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->api_secret.reveal(), "the api secret text");
  EXPECT_EQ(settings->webhook_secret.reveal(), "the webhook secret text");
  EXPECT_EQ(settings->warnings, Faults{});
}

// config 1.2, 11
TEST_F(SettingFiles, MayHoldThePollConfiguration) {
  const auto path = file("poll.yaml", "- {source: oci, url: ghcr.io/acme/app:1, intervall: 3}\n");
  const auto settings = read_settings({{"POLL_CONFIG_FILE", path}});
  ASSERT_TRUE(settings);
  ASSERT_EQ(settings->polls.size(), 1u);
  EXPECT_EQ(settings->polls[0].url, "ghcr.io/acme/app:1");
  EXPECT_EQ(settings->warnings,
            Faults{"poll configuration: POLL_CONFIG_FILE:1: unknown key \"intervall\", did you mean \"interval\"?"});
  EXPECT_EQ(faults_of({{"POLL_CONFIG_FILE", path}, {"POLL_CONFIG", "[]"}}),
            Faults{"both POLL_CONFIG and POLL_CONFIG_FILE are set, please use one or the other"});
  EXPECT_EQ(faults_of({{"POLL_CONFIG_FILE", path}, {"CONFIG_STRICT", "true"}}),
            Faults{"invalid poll configuration: POLL_CONFIG_FILE:1: unknown key \"intervall\", did you mean "
                   "\"interval\"?"});
  EXPECT_EQ(faults_of({{"POLL_CONFIG_FILE", "/nowhere/poll"}}),
            Faults{"POLL_CONFIG_FILE: reading /nowhere/poll: no such file or directory"});
}

// config 2: what libraries read by themselves
TEST_F(SettingFiles, OfTheSystemMustBeThere) {
  EXPECT_EQ(faults_of({{"SSL_CERT_FILE", "/nowhere/roots.pem"}}),
            Faults{"SSL_CERT_FILE: cannot read \"/nowhere/roots.pem\": No such file or directory"});
  EXPECT_EQ(faults_of({{"SSL_CERT_FILE", file("roots.pem", "")}}), Faults{});
  for (const auto* good : {"UTC", "Europe/Berlin", ":Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", "UTC0", ""})
    EXPECT_EQ(read_settings({{"TZ", good}})->warnings, Faults{}) << good;
  EXPECT_EQ(read_settings({{"TZ", "Mars/Olympus"}})->warnings,
            Faults{"TZ: \"Mars/Olympus\" is no time zone of this machine: the log is in UTC"});
}

// config 2.1: with all other faults, and judged by the grammar of references
TEST(Settings, TellFaultsOfThePollConfigurationWithTheOthers) {
  const ArtifactCheck nothing_is = [](std::string_view) { return Status(fail(Kind::invalid, "no")); };
  const auto settings =
      read_settings({{"POLL_CONFIG", "- {source: oci, url: x}\n- {source: oci, interval: 1}"}, {"HTTP_PORT", "0"}},
                    {.is_artifact = nothing_is, .of_service = {}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().faults,
            (Faults{"HTTP_PORT: \"0\" is not a whole number from 1 to 65535",
                    "invalid poll configuration: POLL_CONFIG:1: url: invalid OCI artifact reference: no",
                    "invalid poll configuration: POLL_CONFIG:2: url: key not found: url",
                    "invalid poll configuration: POLL_CONFIG:2: interval: poll interval too low: must be at least "
                    "10s"}));
}

TEST_F(SettingFiles, AreRefusedBesideTheVariable) {
  EXPECT_EQ(faults_of({{"WEBHOOK_SECRET", "one"}, {"WEBHOOK_SECRET_FILE", file("hook", "one")}}),
            Faults{"both secrets are set, please use one or the other: WEBHOOK_SECRET or WEBHOOK_SECRET_FILE"});
}

TEST_F(SettingFiles, LoseToTheVariableWhenEmpty) {
  const auto path = file("empty", " \n");
  const auto settings = read_settings({{"API_SECRET", "a secret of good length"}, {"API_SECRET_FILE", path}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->api_secret.reveal(), "a secret of good length");
  EXPECT_EQ(settings->warnings, Faults{fmt::format("API_SECRET_FILE: \"{}\" is empty", path)});
}

TEST_F(SettingFiles, ThatCannotBeReadAreNamed) {
  EXPECT_EQ(faults_of({{"API_SECRET_FILE", "/nowhere/secret"}}),
            Faults{"API_SECRET_FILE: reading /nowhere/secret: no such file or directory"});
}

TEST_F(SettingFiles, ThatCannotBeDecryptedAreNamed) {
  const auto path = file("secret.yaml", "data: ENC[AES256_GCM,data:x]\nsops:\n  version: 3\n", 0644);
  const auto faults_with = [&](Result<std::optional<std::string>> answer) {
    const Decrypt decrypt = [&](const std::string&, const std::string&) { return answer; };
    const auto settings = read_settings({{"WEBHOOK_SECRET_FILE", path}, {"HTTP_PORT", "80"}},
                                        {.is_artifact = {}, .decrypt = decrypt, .of_service = {}});
    return settings ? settings->warnings : settings.error().faults;
  };
  EXPECT_EQ(faults_with(fail(Kind::denied, "cannot decrypt secret.yaml: needs one of age1x; configured: none")),
            Faults{"failed to decrypt WEBHOOK_SECRET_FILE content: cannot decrypt secret.yaml: needs one of age1x; "
                   "configured: none"});
  EXPECT_EQ(faults_with(std::optional<std::string>("the webhook secret text")), Faults{})
      << "everybody may read cipher text";
  EXPECT_EQ(faults_with(std::optional<std::string>()).size(), 1u) << "a plain file that everybody may read";
}

TEST_F(SettingFiles, ReadableByEverybodyAreWarnedAbout) {  // reliability/T24
  const auto path = file("open", "the webhook secret text", 0644);
  const auto settings = read_settings({{"WEBHOOK_SECRET_FILE", path}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->warnings, Faults{fmt::format("WEBHOOK_SECRET_FILE: \"{}\" can be read by every user of this "
                                                   "machine: take the right away with chmod o-r",
                                                   path)});
}

TEST(Settings, WarnAboutWeakSecrets) {  // reliability/T24
  const auto settings = read_settings({{"WEBHOOK_SECRET", "hunter2"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->warnings, Faults{"WEBHOOK_SECRET is short (7 bytes): use at least 16 random ones"});
}

TEST(Settings, WarnAboutAContextThatCountsForNothing) {  // deploy/Y3
  EXPECT_EQ(read_settings({{"DOCKER_CONTEXT", "laptop"}})->warnings,
            Faults{"DOCKER_CONTEXT: \"laptop\" is not used: DOCKER_HOST names the engine"});
  EXPECT_EQ(read_settings({{"DOCKER_CONTEXT", "default"}})->warnings, Faults{});
}

TEST(Settings, NeverShowASecret) {  // reliability/P18
  const std::string marker = "hunter2-hunter2";
  for (const auto* name :
       {"API_SECRET", "WEBHOOK_SECRET", "WEBHOOK_SECRET_PREVIOUS", "DOCKER_AUTH_CONFIG", "HTTP_PROXY", "HTTPS_PROXY",
        "http_proxy", "https_proxy", "GIT_ACCESS_TOKEN", "SSH_PRIVATE_KEY", "POLL_CONFIG", "APPRISE_API_URL",
        "APPRISE_NOTIFY_URLS", "SOPS_AGE_KEY"}) {
    const auto settings = read_settings({{name, " " + marker}, {"HTTP_PORT", "x"}});
    ASSERT_FALSE(settings);
    for (const auto& fault : settings.error().faults) EXPECT_EQ(fault.find(marker), fault.npos) << fault;
  }
}

TEST(UnbuiltSettings, AreRefusedByName) {
  const std::tuple<std::string, std::string, std::string> rows[] = {
      {"TUF_ROOT", "/root", "(a trusted root over the network, OCI_TRUSTED_ROOT_FILE names a file): unset it"},
      {"CERT_ROTATION_ENABLED", "true", "(certificate rotation): unset it or leave it at false"},
      {"CERT_ROTATION_ENABLED", "rubbish", "(certificate rotation): unset it or leave it at false"},
  };
  for (const auto& [name, value, end] : rows) {
    SCOPED_TRACE(name + "=" + value);
    EXPECT_EQ(faults_of({{name, value}}),
              Faults{fmt::format("{}: not built yet in this version of windlass {}", name, end)});
  }
}

// config 2: what is not there yet is said, whatever it would do
TEST(UnbuiltSettings, AreAllKnown) {
  for (const std::string name : {"CERT_ROTATION_ENABLED", "CERT_ROTATION_THRESHOLD", "CERT_ROTATION_CHECK_INTERVAL",
                                 "TUF_ROOT", "TUF_MIRROR", "TUF_ROOT_JSON"}) {
    const auto faults = faults_of({{name, "77"}});
    ASSERT_EQ(faults.size(), 1u) << name;
    EXPECT_TRUE(faults[0].starts_with(name + ": not built yet in this version of windlass (")) << faults[0];
  }
}

// What is set for Git sources or a Swarm does not stop those who deploy artifacts with compose besides.
TEST(UnbuiltSettings, AreTakenWithAWarningWhereNothingAsksForThem) {
  const std::string twins[] = {"SOURCE_URL_REWRITES",        "GIT_ACCESS_TOKEN", "GITHUB_APP_ID",
                               "GITHUB_APP_PRIVATE_KEY",     "GIT_AUTH_DOMAINS", "SSH_PRIVATE_KEY",
                               "SSH_PRIVATE_KEY_PASSPHRASE", "SSH_KNOWN_HOSTS"};
  std::vector<std::string> names = {"GIT_ACCESS_TOKEN_USER",
                                    "GITHUB_APP_INSTALLATION_ID",
                                    "GIT_CLONE_DEPTH",
                                    "GIT_CLONE_SUBMODULES",
                                    "SKIP_TLS_VERIFICATION",
                                    "GIT_COMMIT_STATUS",
                                    "GIT_SCM_PROVIDER",
                                    "GIT_SCM_API_URL",
                                    "GIT_ACCESS_TOKEN_HOSTS",
                                    "SSH_HOST_KEY_POLICY",
                                    "WEBHOOK_ALLOWED_HOSTS",
                                    "DOCKER_SWARM_CONFIG_RETENTION",
                                    "DOCKER_SWARM_SECRET_RETENTION",
                                    "SWARM_PRUNE_JOB",
                                    "PUBLIC_URL"};
  for (const auto& name : twins) names.insert(names.end(), {name, name + "_FILE"});
  for (const auto& name : names) {
    const auto settings = read_settings({{name, "77"}});
    ASSERT_TRUE(settings) << name << ": " << settings.error().faults[0];
    ASSERT_EQ(settings->warnings.size(), 1u) << name;
    EXPECT_TRUE(settings->warnings[0].starts_with(name + ": has no effect: ")) << settings->warnings[0];
    EXPECT_TRUE(settings->warnings[0].ends_with(" are not built yet in this version of windlass"));
    EXPECT_EQ(settings->warnings[0].find("77"), std::string::npos) << "it may be secret";
  }
}

TEST(UnbuiltSettings, AreFineWithTheValueThatAsksForNothing) {
  const auto faults = faults_of({{"GIT_ACCESS_TOKEN_USER", "oauth2"},
                                 {"GIT_CLONE_DEPTH", "0"},
                                 {"GIT_CLONE_SUBMODULES", "T"},
                                 {"SKIP_TLS_VERIFICATION", "0"},
                                 {"SCHEDULER_ENABLED", "false"},
                                 {"DOCKER_SWARM_FEATURES", "false"},
                                 {"COMPOSE_PROFILES", "x"},
                                 {"PATH", "/bin"}});
  EXPECT_EQ(faults, Faults{});
}

TEST(PassedEnvironment, IsEmptyUnlessAskedFor) {
  EXPECT_EQ(passed_environment(Settings{}, {{"A", "1"}}), Environment{});
}

TEST(PassedEnvironment, WithholdsWhatIsSecret) {  // config 6, 14 #11, reliability/T16
  Environment environment{{"A", "1"}, {"TZ", "UTC"}, {"VAULT_ADDR", "https://v"}, {"AWS_REGION", "eu-1"}};
  const auto visible = environment;
  for (const std::string name : {"API_SECRET",
                                 "WEBHOOK_SECRET",
                                 "WEBHOOK_SECRET_PREVIOUS",
                                 "REGISTRY_WEBHOOKS",
                                 "GIT_ACCESS_TOKEN",
                                 "GIT_AUTH_DOMAINS",
                                 "GITHUB_APP_ID",
                                 "GITHUB_APP_PRIVATE_KEY",
                                 "SSH_PRIVATE_KEY",
                                 "SSH_PRIVATE_KEY_PASSPHRASE",
                                 "POLL_CONFIG",
                                 "APPRISE_NOTIFY_URLS",
                                 "SOURCE_URL_REWRITES",
                                 "VAULT_TOKEN",
                                 "AZURE_CLIENT_SECRET",
                                 "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                                 "AZURE_PASSWORD",
                                 "GOOGLE_CREDENTIALS",
                                 "GOOGLE_OAUTH_ACCESS_TOKEN",
                                 "IDENTITY_HEADER",
                                 "MSI_SECRET"})
    environment[name] = environment[name + "_FILE"] = "x";
  for (const auto* name :
       {"SECRET_PROVIDER", "SECRET_PROVIDER_ACCESS_TOKEN", "SECRET_PROVIDER_CLIENT_SECRET_FILE", "SOPS_AGE_KEY",
        "SOPS_PGP_FP", "DOCKER_AUTH_CONFIG", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"})
    environment[name] = "x";
  Settings settings;
  settings.pass_env = true;
  EXPECT_EQ(passed_environment(settings, environment), visible);
}

TEST(PassedEnvironment, IsWhatTheAllowListNames) {
  const Environment environment{{"PASS_ENV", "true"}, {"PASS_ENV_ALLOW", "DOMAIN, APP_*, SECRET*"}};
  const auto settings = read_settings(environment);
  ASSERT_TRUE(settings);
  EXPECT_EQ(
      passed_environment(
          *settings,
          {{"DOMAIN", "1"}, {"DOMAIN_2", "x"}, {"APP_A", "2"}, {"TZ", "x"}, {"SECRET_PROVIDER_ACCESS_TOKEN", "x"}}),
      (Environment{{"APP_A", "2"}, {"DOMAIN", "1"}}));
  EXPECT_EQ(read_settings({{"PASS_ENV_ALLOW", "A"}})->warnings,
            Faults{"PASS_ENV_ALLOW has no effect without PASS_ENV"});
  const std::pair<const char*, const char*> faults[] = {
      {"*", "PASS_ENV_ALLOW: \"*\" is neither the name of a variable nor its beginning with a *"},
      {"A-B", "PASS_ENV_ALLOW: \"A-B\" is neither the name of a variable nor its beginning with a *"},
      {"API_SECRET", "PASS_ENV_ALLOW: \"API_SECRET\" is a secret of windlass and is never passed"},
  };
  for (const auto& [value, fault] : faults)
    EXPECT_EQ(read_settings({{"PASS_ENV", "1"}, {"PASS_ENV_ALLOW", value}}).error().faults, Faults{fault});
}

TEST(AdoptAllow, NamesStacksAndWhoMayAdoptThem) {
  const auto settings = read_settings({{"ADOPT_ALLOW", "web=ghcr.io/acme/shop, edge/db = reg:5000/db"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->adopt_allow,
            (std::vector<AllowedAdoption>{{"web", "ghcr.io/acme/shop"}, {"edge/db", "reg:5000/db"}}));
  for (const auto* value : {"web", "web=", "=ghcr.io/acme/shop", "web=ghcr.io/acme/shop:1", "web=ghcr.io/a/b@sha256:0"})
    EXPECT_EQ(read_settings({{"ADOPT_ALLOW", value}}).error().faults,
              Faults{fmt::format("ADOPT_ALLOW: \"{}\" is not <stack>=<registry>/<repository>, without a tag", value)});
  const ArtifactCheck nothing_is = [](std::string_view) { return Status(fail(Kind::invalid, "no")); };
  EXPECT_EQ(read_settings({{"ADOPT_ALLOW", "web=x/y"}}, {.is_artifact = nothing_is}).error().faults,
            Faults{"ADOPT_ALLOW: \"web=x/y\": no"});
}

// oci 6
TEST_F(SettingFiles, ForRegistriesAreReadAtTheStart) {
  const auto path =
      file("registries.yaml", "- prefix: r.example\n  mirrors: [m.example]\n- {prefix: s.example, insecure: true}\n");
  const auto settings = read_settings({{"OCI_REGISTRIES_FILE", path}, {"OCI_INSECURE_REGISTRIES", "t.example"}});
  ASSERT_TRUE(settings);
  ASSERT_EQ(settings->oci_registries.size(), 2u);
  EXPECT_EQ(settings->oci_registries[0].mirrors, Faults{"m.example"});
  EXPECT_EQ(settings->warnings, Faults{"no certificate is checked of these registries, and credentials go to them over "
                                       "plain HTTP: t.example, s.example"});
  EXPECT_EQ(
      faults_of({{"OCI_REGISTRIES_FILE", file("broken.yaml", "- {prefix: x}\n- {prefix: r.example, inscure: 1}")}}),
      (Faults{"OCI_REGISTRIES_FILE: " + (folder_ / "broken.yaml").string() +
                  ":1: prefix: \"x\" is not registry or registry/path, such as r.example:5000/team",
              "OCI_REGISTRIES_FILE: " + (folder_ / "broken.yaml").string() +
                  ":2: unknown key \"inscure\", did you mean \"insecure\"?"}));
  EXPECT_EQ(faults_of({{"OCI_REGISTRIES_FILE", "/no/such"}}).size(), 1u);
}

// reliability/T16: whoever can read files of this process's user can name it as an env_file.
TEST(ProcessEnvironment, ShowsNoSecretsOnceTheyAreHidden) {
  std::string name = "API_SECRET=swordfish", other = "PLAIN_VALUE=swordfish";
  EXPECT_EXIT(
      {
        ::putenv(name.data());
        ::putenv(other.data());
        const auto before = process_environment();
        hide_secrets_of_process();
        const bool is_hidden =
            name.find("swordfish") == name.npos && ::getenv("API_SECRET") == std::string("swordfish");
        ::_exit(before.at("API_SECRET") == "swordfish" && is_hidden && other == "PLAIN_VALUE=swordfish" ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace windlass
