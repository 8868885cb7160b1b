#include "config/registries_file.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace windlass {
namespace {

using Faults = std::vector<std::string>;

TEST(RegistriesFile, IsTakenApart) {
  Faults faults;
  const auto entries = parse_registries(R"(
- prefix: Docker.io
  mirrors: [mirror.example, "10.0.0.1:5000/hub/cache"]
- prefix: r.example:5000/team
  location: Other.example/x
  mirrors: [localhost]
  mirror_tags: true
  ca_file: /dev/null
  client_cert: /etc/passwd
  client_key: /etc/passwd
- prefix: "[::1]:5000"
  insecure: true
)",
                                        "r.yaml", faults);
  EXPECT_EQ(faults, Faults{});
  EXPECT_EQ(entries, (std::vector<RegistryRule>{
                         {.prefix = "index.docker.io",
                          .location = "index.docker.io",
                          .mirrors = {"mirror.example", "10.0.0.1:5000/hub/cache"}},
                         {.prefix = "r.example:5000/team",
                          .location = "other.example/x",
                          .mirrors = {"localhost"},
                          .mirror_tags = true,
                          .ca_file = "/dev/null",
                          .client_cert_file = "/etc/passwd",
                          .client_key_file = "/etc/passwd"},
                         {.prefix = "[::1]:5000", .location = "[::1]:5000", .insecure = true},
                     }));
  EXPECT_TRUE(parse_registries("", "r.yaml", faults).empty());
  EXPECT_EQ(faults, Faults{});
}

TEST(RegistriesFile, SaysAllThatIsWrong) {
  const std::string rule = " is not registry or registry/path, such as r.example:5000/team";
  const std::pair<std::string, std::string> rows[] = {
      {"{prefix: r.example}", "r.yaml:1: must be a list of registries"},
      {"[r.example]", "r.yaml:1: must be a mapping with the key prefix"},
      {"[{location: r.example}]", "r.yaml:1: prefix: must name a registry or a part of one"},
      {"[{prefix: team/app}]", "r.yaml:1: prefix: \"team/app\"" + rule},
      {"[{prefix: r.example/Team}]", "r.yaml:1: prefix: \"r.example/Team\"" + rule},
      {"[{prefix: r.example/}]", "r.yaml:1: prefix: \"r.example/\"" + rule},
      {"[{prefix: r.example/../x}]", "r.yaml:1: prefix: \"r.example/../x\"" + rule},
      {"[{prefix: \"https://r.example\"}]", "r.yaml:1: prefix: \"https://r.example\"" + rule},
      {"[{prefix: \"u:p@r.example\"}]", "r.yaml:1: prefix: \"u:p@r.example\"" + rule},
      {"[{prefix: \"*.example\"}]", "r.yaml:1: prefix: \"*.example\"" + rule},
      {"[{prefix: \"r.example:99999\"}]", "r.yaml:1: prefix: \"r.example:99999\"" + rule},
      {"[{prefix: r.example, location: \"a b\"}]", "r.yaml:1: location: \"a b\"" + rule},
      {"[{prefix: r.example, mirrors: [m.example, -x]}]", "r.yaml:1: mirrors: \"-x\"" + rule},
      {"[{prefix: r.example, mirrors: m.example}]",
       "failed to decode yaml: r.yaml:1: mirrors: expected a list, got text \"m.example\""},
      {"- prefix: r.example\n  insecure: maybe",
       "failed to decode yaml: r.yaml:2: insecure: expected true or false, got text \"maybe\""},
      {"- prefix: r.example\n  insecur: true", "r.yaml:2: unknown key \"insecur\", did you mean \"insecure\"?"},
      {"[{prefix: r.example, ca_file: ca.pem}]", "r.yaml:1: ca_file: \"ca.pem\" is not an absolute path"},
      {"[{prefix: r.example, ca_file: /no/ca.pem}]",
       "r.yaml:1: ca_file: cannot read /no/ca.pem: No such file or directory"},
      {"[{prefix: r.example, client_key: /dev/null}]",
       "r.yaml:1: client_cert: client_cert and client_key must be given together"},
      {"[{prefix: r.example, insecure: true, ca_file: /dev/null}]",
       "r.yaml:1: ca_file: has no effect with insecure: true, which checks no certificate"},
      {"[{prefix: r.example, mirror_tags: true}]", "r.yaml:1: mirror_tags: has no effect without mirrors"},
      {"- prefix: docker.io\n- prefix: index.docker.io\n",
       "r.yaml:2: prefix: \"index.docker.io\" has an entry already"},
  };
  for (const auto& [text, fault] : rows) {
    SCOPED_TRACE(text);
    Faults faults;
    parse_registries(text, "r.yaml", faults);
    EXPECT_EQ(faults, Faults{fault});
  }
  Faults faults;
  parse_registries("[{prefix: x y, location: x y}, 3", "r.yaml", faults);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].starts_with("r.yaml:")) << faults[0];
}

}  // namespace
}  // namespace windlass
