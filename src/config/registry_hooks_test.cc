#include "config/registry_hooks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

Lines faults_of(std::string_view text) {
  Lines faults;
  parse_registry_hooks(text, "hooks", faults);
  return faults;
}

TEST(RegistryHooks, AreReadKeyByKey) {
  Lines faults;
  const auto hooks = parse_registry_hooks(R"(
- {format: harbor-default, secret: s3cret, allow: ["harbor.example/team/*"]}
- format: distribution
  secret: Bearer x
  header: X-Notify
  allow: ["**"]
  registry_host: Reg.Example:5000
- {format: nexus, secret: k, allow: ["**"], repositories: {docker-hosted: "nexus.example:8083"}}
- {format: jfrog, secret: k, allow: ["**"], docker_access: subdomain}
- format: gar-pubsub
  audience: https://deploy.example/v1/webhook
  service_account: pusher@project.iam.gserviceaccount.com
  jwks_url: https://www.googleapis.com/oauth2/v3/certs
  allow: ["europe-docker.pkg.dev/project/**"]
)",
                                          "hooks", faults);
  EXPECT_EQ(faults, Lines{});
  ASSERT_EQ(hooks.size(), 5u);
  EXPECT_EQ(hooks[0].format, RegistryFormat::harbor_default);
  EXPECT_EQ(hooks[0].secret.reveal(), "s3cret");
  EXPECT_EQ(hooks[0].header, "Authorization");
  EXPECT_EQ(hooks[1].header, "X-Notify");
  EXPECT_EQ(hooks[1].registry_host, "reg.example:5000");
  EXPECT_EQ(hooks[2].repositories.at("docker-hosted"), "nexus.example:8083");
  EXPECT_EQ(hooks[3].docker_access, DockerAccess::subdomain);
  EXPECT_TRUE(hooks[4].wants_signed_token());
}

TEST(RegistryHooks, SayWhatIsWrong) {
  const std::pair<const char*, Lines> rows[] = {
      {"{}", {"hooks:1: must be a list of registries"}},
      {"- x", {"hooks:1: must be a mapping with the key format"}},
      {"- {format: dockerhub, allow: ['**']}", {"hooks:1: secret: must be given, or secret_file"}},
      {"- {format: dockerhub, secret: s}",
       {"hooks:1: allow: must name what may be deployed, such as [\"r.example/team/**\"]; [\"**\"] is everything"}},
      {"- {format: zot, secret: s, allow: ['**']}",
       {"hooks:1: registry_host: must be given: zot does not tell its own name"}},
      {"- {format: nexus, secret: s, allow: ['**']}",
       {"hooks:1: repositories: or registry_host must be given: Nexus does not tell where its repositories are"}},
      {"- {format: quay, secret: s, allow: ['**'], header: X}",
       {"hooks:1: header: quay has no header of its own choice"}},
      {"- {format: quay, secret: s, allow: ['**'], registry_host: 'a b'}",
       {"hooks:1: registry_host: \"a b\" is not host[:port]"}},
      {"- {format: quay, secret: s, allow: ['**'], docker_access: path}",
       {"hooks:1: docker_access: is for jfrog only"}},
      {"- {format: quay, secret: s, allow: ['**'], repositories: {a: b.c}}",
       {"hooks:1: repositories: is for nexus and jfrog only"}},
      {"- {format: quay, secret: s, allow: ['**'], alow: []}",
       {"hooks:1: unknown key \"alow\", did you mean \"allow\"?"}},
      {"- {format: quay, secret: s, secret_file: /x, allow: ['**']}",
       {"hooks:1: secret_file: give secret or secret_file, not both"}},
      {"- {format: jfrog, secret: s, allow: ['**'], docker_access: port}",
       {"hooks:1: docker_access: \"port\" is neither path nor subdomain"}},
      {"- {format: jfrog, secret: s, allow: ['**'], repositories: {a: 'http://b', c: 'd/'}}",
       {"hooks:1: repositories: a: \"http://b\" is not host[:port][/path]",
        "hooks:1: repositories: c: \"d/\" is not host[:port][/path]"}},
      {"- {format: gar-pubsub, audience: a, service_account: a@b, jwks_file: /gone, jwks_url: 'https://k', allow: "
       "['**']}",
       {"hooks:1: jwks_url: give jwks_url or jwks_file: where the keys are that Google signs with",
        "hooks:1: jwks_file: cannot read /gone"}},
      {"- {format: gar-pubsub, audience: a, allow: ['**']}",
       {"hooks:1: service_account: must be the e-mail address of the account that pushes",
        "hooks:1: jwks_url: give jwks_url or jwks_file: where the keys are that Google signs with"}},
  };
  for (const auto& [text, faults] : rows) EXPECT_EQ(faults_of(text), faults) << text;
  EXPECT_TRUE(faults_of("- {format: gar-unwrapped, secret: s, audience: a, service_account: x@y, jwks_url: 'http://k', "
                        "allow: ['**']}") == (Lines{"hooks:1: audience: give a secret or an audience, not both",
                                                    "hooks:1: jwks_url: must begin with https://"}));
  EXPECT_TRUE(faults_of("- {format: harbor, secret: s}")
                  .at(0)
                  .starts_with("hooks:1: format: \"harbor\" is none of doco-oci, distribution, harbor-default,"));
}

TEST(RegistryHooks, TellEveryFaultOfEveryEntry) {  // registry-events 3.11
  EXPECT_EQ(faults_of("- {format: quay}\n- {format: zot, alow: x}\n- {format: harbor}\n").size(), 2u + 4u + 1u);
}

TEST(RegistryHooks, TakeEveryFormat) {  // registry-events 2
  for (const auto format : registry_format_names())
    EXPECT_EQ(faults_of(fmt::format("- {{format: {}, secret: s, allow: ['**'], registry_host: r.example}}", format)),
              Lines{})
        << format;
}

// registry-events 3.2: a token in a URL is different from every other secret
TEST(RegistryHooks, KeepUrlTokensApart) {
  const auto said = [](Environment environment) {
    const auto settings = read_settings(environment);
    return settings ? Lines{} : settings.error().faults;
  };
  const auto entry = [](std::string_view format, std::string_view secret) {
    return fmt::format("- {{format: {}, secret: {}, allow: ['**']}}\n", format, secret);
  };
  const std::string quay = entry("quay", "one-secret-of-them");
  const auto fault = [](std::string_view other) {
    return fmt::format("REGISTRY_WEBHOOKS: the URL token of quay is the secret of {} too: give it one of its own",
                       other);
  };
  for (const auto* name : {"WEBHOOK_SECRET", "API_SECRET"})
    EXPECT_EQ(said({{"REGISTRY_WEBHOOKS", quay}, {name, "one-secret-of-them"}}), Lines{fault(name)});
  EXPECT_EQ(said({{"REGISTRY_WEBHOOKS", quay + entry("jfrog", "one-secret-of-them")}}), Lines{fault("jfrog")});
  EXPECT_EQ(said({{"REGISTRY_WEBHOOKS", quay + entry("jfrog", "another") + entry("harbor-default", "another")},
                  {"WEBHOOK_SECRET", "another-one-of-ours"}}),
            Lines{});
  EXPECT_EQ(said({{"REGISTRY_WEBHOOKS", quay + quay}}), Lines{}) << "two allow lists behind one token";
}

TEST(RegistryHooks, ReadASecretFromAFile) {
  const auto file = std::filesystem::temp_directory_path() / "windlass-hook-secret";
  std::ofstream(file) << " s3cret\n";
  Lines faults;
  const auto hooks =
      parse_registry_hooks("- {format: quay, secret_file: " + file.string() + ", allow: ['**']}", "hooks", faults);
  EXPECT_EQ(faults, Lines{});
  EXPECT_EQ(hooks.at(0).secret.reveal(), "s3cret");
  std::ofstream(file) << " \n";
  EXPECT_EQ(faults_of("- {format: quay, secret_file: " + file.string() + ", allow: ['**']}").at(0),
            "hooks:1: secret_file: the file is empty");
  std::filesystem::remove(file);
  EXPECT_EQ(faults_of("- {format: quay, secret_file: /gone, allow: ['**']}"),
            (Lines{"hooks:1: secret_file: reading /gone: no such file or directory",
                   "hooks:1: secret: must be given, or secret_file"}));
}

}  // namespace
}  // namespace windlass
