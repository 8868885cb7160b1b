#include "oci/reference.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

namespace windlass {
namespace {

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;
const std::string kDigest512 = "sha512:" + std::string(128, 'b');

struct Good {
  std::string text, registry, repository, identifier;
};

// oci 1
const Good kGood[] = {
    {"ubuntu", "index.docker.io", "library/ubuntu", "latest"},
    {"me/app", "index.docker.io", "me/app", "latest"},
    {"docker.io/ubuntu:22.04", "index.docker.io", "library/ubuntu", "22.04"},
    {"index.docker.io/ubuntu", "index.docker.io", "library/ubuntu", "latest"},
    {"localhost/app:1", "localhost", "app", "1"},
    {"localhost:5000/app", "localhost:5000", "app", "latest"},
    {"[::1]:5000/app:1", "[::1]:5000", "app", "1"},
    {"[2001:db8::1]/app", "[2001:db8::1]", "app", "latest"},
    {"127.0.0.1:5000/app:1", "127.0.0.1:5000", "app", "1"},
    {"reg.example:5000/a/b/c:v1", "reg.example:5000", "a/b/c", "v1"},
    {"registry:5000/app", "registry:5000", "app", "latest"},
    {"host:5000", "index.docker.io", "library/host", "5000"},
    {"ghcr.io/o/a:1@" + kDigest, "ghcr.io", "o/a", kDigest},
    {"ghcr.io/o/a@" + kDigest512, "ghcr.io", "o/a", kDigest512},
    {"oci://ghcr.io/o/a:1", "ghcr.io", "o/a", "1"},
    {" \tghcr.io/o/a:1\r\n", "ghcr.io", "o/a", "1"},
    {"GHCR.IO/o/a:1", "ghcr.io", "o/a", "1"},
    {"LOCALHOST:5000/app", "localhost:5000", "app", "latest"},
    {"r.example/a-b/c_d/e__f/g.h/i---j:V1.0_a-b", "r.example", "a-b/c_d/e__f/g.h/i---j", "V1.0_a-b"},
    {"r.example/app:_x", "r.example", "app", "_x"},
    {"r.example/app:" + std::string(128, 'x'), "r.example", "app", std::string(128, 'x')},
    {"r.example/" + std::string(255, 'x'), "r.example", std::string(255, 'x'), "latest"},
    {std::string(247, 'x'), "index.docker.io", "library/" + std::string(247, 'x'), "latest"},
    {"r.example:65535/app", "r.example:65535", "app", "latest"},
};

TEST(Reference, IsTakenApart) {
  for (const auto& row : kGood) {
    SCOPED_TRACE(row.text);
    const auto reference = Reference::parse(row.text);
    ASSERT_TRUE(reference) << reference.error().message;
    EXPECT_EQ(reference->registry(), row.registry);
    EXPECT_EQ(reference->repository(), row.repository);
    EXPECT_EQ(reference->identifier(), row.identifier);
  }
}

// webhook 6.3, O1 to O6: full name, ref, live directory
TEST(Reference, NamesRepositoryRefAndLiveDirectory) {
  const struct {
    std::string text, repository, ref, live_path;
  } rows[] = {
      {"ghcr.io/my/app:main", "my/app", "main", "ghcr.io/my/app"},
      {"registry.example.com/myorg/apps/app1/backend:latest", "myorg/apps/app1/backend", "latest",
       "registry.example.com/myorg/apps/app1/backend"},
      {"docker.io/myusername/myapp-config:latest", "myusername/myapp-config", "latest",
       "index.docker.io/myusername/myapp-config"},
      {"registry.example.com:5000/internal/deployment-config:v1.0.0", "internal/deployment-config", "v1.0.0",
       "registry.example.com_5000/internal/deployment-config"},
      {"ubuntu", "library/ubuntu", "latest", "index.docker.io/library/ubuntu"},
      {"ghcr.io/my/app@" + kDigest, "my/app", kDigest, "ghcr.io/my/app"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    const auto reference = Reference::parse(row.text);
    ASSERT_TRUE(reference) << reference.error().message;
    EXPECT_EQ(reference->repository(), row.repository);
    EXPECT_EQ(reference->identifier(), row.ref);
    EXPECT_EQ(reference->live_path(), row.live_path);
  }
}

TEST(Reference, KeepsTheTagBesideADigestForDisplay) {
  const auto reference = Reference::parse("ghcr.io/o/a:1@" + kDigest);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->tag(), "1");
  EXPECT_EQ(reference->str(), "ghcr.io/o/a@" + kDigest);
  const auto by_digest = Reference::parse("ghcr.io/o/a@" + kDigest);
  ASSERT_TRUE(by_digest);
  EXPECT_EQ(by_digest->tag(), "");
}

TEST(Reference, TakesADigestLater) {
  const auto reference = Reference::parse("ghcr.io/o/a:1");
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->str(), "ghcr.io/o/a:1");
  const auto pinned = reference->with_digest(Digest::of_sha256_hex(kHex));
  EXPECT_EQ(pinned.identifier(), kDigest);
  EXPECT_EQ(pinned.tag(), "1");
}

const std::string kNameRule = "may hold small letters, digits, '.', '_', '-' and '/' only";
const std::string kEdgeRule = "has a part that does not begin and end with a small letter or a digit";
const std::string kSeparatorRule = "may have one '.', one or two '_', or '-' between letters and digits";
const std::string kHostRule = "may hold letters, digits, '-' and '.' only";
const std::string kPortRule = "must be a number from 1 to 65535";
const std::string kTagRule = "may hold letters, digits, '.', '_' and '-' only";
const std::string kSchemeRule = "is not allowed: write registry/repository:tag";
const std::string kNumberRule = "is a number but not a dotted IPv4 address";

// reliability 7, oci 1, webhook/V10 and V11
const std::pair<std::string, std::string> kRefused[] = {
    {"", "is required"},
    {"  ", "is required"},
    {"oci://", "is required"},
    {"ghcr.io/O/a", "repository 'O/a' " + kNameRule},
    {"ghcr.io/o/a:", "tag is missing after the ':'"},
    {"ghcr.io/o/a@sha256:abc", "digest 'sha256:abc' is not valid: sha256 needs 64 hex characters, got 3"},
    {"ghcr.io/o/a@", "digest '' is not valid: is required"},
    {"--help", "repository '--help' " + kEdgeRule},
    {"-v:latest", "repository '-v' " + kEdgeRule},
    {"--file=/etc/passwd", "repository '--file=/etc/passwd' " + kNameRule},
    {"-oProxyCommand=id/a:b", "repository '-oProxyCommand=id/a' " + kNameRule},
    {"UPPER/Case:tag", "repository 'UPPER/Case' " + kNameRule},
    {"r.example/", "repository is missing"},
    {":main", "repository is missing"},
    {"@" + kDigest, "repository is missing"},
    {"r.example//app:1", "repository '/app' has an empty part"},
    {"r.example/app/:1", "repository 'app/' has an empty part"},
    {"/etc/passwd", "repository '/etc/passwd' has an empty part"},
    {"../../etc/passwd", "host '..' has an empty label"},
    {"r.example/../../etc:1", "repository '../../etc' has the part '..'"},
    {"r.example/app/../bpp:1", "repository 'app/../bpp' has the part '..'"},
    {"r.example/./app:1", "repository './app' has the part '.'"},
    {"r.example/...:1", "repository '...' " + kEdgeRule},
    {"file:///etc/passwd", "scheme 'file' " + kSchemeRule},
    {"https://r.example/app:1", "scheme 'https' " + kSchemeRule},
    {"docker://r.example/app:1", "scheme 'docker' " + kSchemeRule},
    {"git@r.example:app/b.git",
     "digest 'r.example:app/b.git' is not valid: "
     "unsupported algorithm \"r.example\", expected sha256 or sha512"},
    {"ssh://-oProxyCommand=id/a:b", "scheme 'ssh' " + kSchemeRule},
    {"ext::sh -c id", "tag 'sh -c id' " + kTagRule},
    {"user:pass@r.example/app:1",
     "digest 'r.example/app:1' is not valid: "
     "unsupported algorithm \"r.example/app\", expected sha256 or sha512"},
    {"r.example/app:", "tag is missing after the ':'"},
    {"r.example/app:-rf", "tag '-rf' must begin with a letter, a digit or '_'"},
    {"r.example/app:.x", "tag '.x' must begin with a letter, a digit or '_'"},
    {"r.example/app:" + std::string(129, 'x'), "tag '" + std::string(64, 'x') + "…' is longer than 128 characters"},
    {"r.example/app:1:2", "repository 'app:1' " + kNameRule},
    {"r.example/app:1+2", "tag '1+2' " + kTagRule},
    {"r.example/" + std::string(300, 'x'), "repository '" + std::string(64, 'x') + "…' is longer than 255 characters"},
    {std::string(248, 'x'), "repository 'library/" + std::string(56, 'x') + "…' is longer than 255 characters"},
    {"r.example/app@sha256:12", "digest 'sha256:12' is not valid: sha256 needs 64 hex characters, got 2"},
    {"r.example/app@" + kDigest + "@" + kDigest, "digest '" + kDigest.substr(0, 64) +
                                                     "…' is not valid: "
                                                     "sha256 needs 64 hex characters, got 136"},
    {"r.example/app@md5:0123",
     "digest 'md5:0123' is not valid: unsupported algorithm \"md5\", "
     "expected sha256 or sha512"},
    {"r.example/app@sha256:" + std::string(64, 'A'), "digest 'sha256:" + std::string(57, 'A') +
                                                         "…' is not valid: "
                                                         "character 'A' at position 1 is not lowercase hexadecimal"},
    {"r.example:99999/app:1", "port '99999' " + kPortRule},
    {"r.example:0/app:1", "port '0' " + kPortRule},
    {"r.example:-1/app:1", "port '-1' " + kPortRule},
    {"r.example:x/app:1", "port 'x' " + kPortRule},
    {"r.example:/app:1", "port '' " + kPortRule},
    {"r.example:123456789012345678901/app", "port '123456789012345678901' " + kPortRule},
    {":5000/app:1", "host is missing before the port"},
    {"-r.example/app:1", "host '-r.example' has a label that begins or ends with '-'"},
    {"r-.example/app:1", "host 'r-.example' has a label that begins or ends with '-'"},
    {".example/app:1", "host '.example' has an empty label"},
    {"r.example./app:1", "host 'r.example.' has an empty label"},
    {"r_x.example/app:1", "host 'r_x.example' " + kHostRule},
    {std::string(64, 'x') + ".example/app",
     "host '" + std::string(64, 'x') + "…' has a label longer than 63 characters"},
    {"r%2eexample/app:1", "repository 'r%2eexample/app' " + kNameRule},
    {"r.ex\xd0\xb0mple/app:1", "host 'r.ex\xd0\xb0mple' " + kHostRule},
    {"r.example/\xd0\xb0pp:1", "repository '\xd0\xb0pp' " + kNameRule},
    {"[::1/app:1", "host '[::1' lacks the closing ']'"},
    {"[fe80::1%25eth0]:80/app:1", "host '[fe80::1%25eth0]' is not an IPv6 address in brackets without a zone"},
    {"[127.0.0.1]:80/app:1", "host '[127.0.0.1]' is not an IPv6 address in brackets without a zone"},
    {"[::1]x:80/app:1", "host '[::1]x' is not an IPv6 address in brackets without a zone"},
    {"r.example/a b:1", "repository 'a b' " + kNameRule},
    {"r.example/a\tb:1", "repository 'a\\x09b' " + kNameRule},
    {"r.example/a\nb:1", "repository 'a\\x0ab' " + kNameRule},
    {"r.example/a\r\nX-Evil: 1", "tag ' 1' must begin with a letter, a digit or '_'"},
    {"r.example/a\r\nX-Evil/b", "repository 'a\\x0d\\x0aX-Evil/b' " + kNameRule},
    {std::string("r.example/a\0b:1", 15), "repository 'a\\x00b' " + kNameRule},
    {std::string("r.example/app:1\0", 16), "tag '1\\x00' " + kTagRule},
    {"r.example/a\x1b[31m", "repository 'a\\x1b[31m' " + kNameRule},
    {"r.example/app;id", "repository 'app;id' " + kNameRule},
    {"r.example/app$(id)", "repository 'app$(id)' " + kNameRule},
    {"r.example/app`id`", "repository 'app`id`' " + kNameRule},
    {"r.example/app|id", "repository 'app|id' " + kNameRule},
    {"r.example/app&id", "repository 'app&id' " + kNameRule},
    {"r.example/app?x", "repository 'app?x' " + kNameRule},
    {"r.example/app#x", "repository 'app#x' " + kNameRule},
    {"r.example/%2e%2e/app", "repository '%2e%2e/app' " + kNameRule},
    {"r.example/a\\b", "repository 'a\\b' " + kNameRule},
    {"r.example/a'b", "repository 'a'b' " + kNameRule},
    {"r.example/a{}b", "repository 'a{}b' " + kNameRule},
    {"r.example/{{.Env}}", "repository '{{.Env}}' " + kNameRule},
    {"r.example/*", "repository '*' " + kNameRule},
    {"r.example/a\xe2\x80\xae"
     "b",
     "repository 'a\\xe2\\x80\\xaeb' " + kNameRule},
    {"r.example/a\xed\xa0\x80", "repository 'a\\xed\\xa0\\x80' " + kNameRule},
    {"r.example/_app:1", "repository '_app' " + kEdgeRule},
    {"r.example/app_:1", "repository 'app_' " + kEdgeRule},
    {"r.example/a___b:1", "repository 'a___b' " + kSeparatorRule},
    {"r.example/a..b:1", "repository 'a..b' " + kSeparatorRule},
    {"r.example/a._b:1", "repository 'a._b' " + kSeparatorRule},
    {"r.example/-app:1", "repository '-app' " + kEdgeRule},
    {"r.example/app-:1", "repository 'app-' " + kEdgeRule},
    {"r.example/.git:1", "repository '.git' " + kEdgeRule},
    {"r.example/a:1", "repository 'a' is shorter than 2 characters"},
    {"a", "repository 'a' is shorter than 2 characters"},
    {"169.254.169.254/app:1", "host '169.254.169.254' is a link-local address"},
    {"[fe80::1]/app:1", "host '[fe80::1]' is a link-local address"},
    {"[::ffff:169.254.169.254]/app:1", "host '[::ffff:169.254.169.254]' is a link-local address"},
    {"[64:ff9b::a9fe:a9fe]/app:1", "host '[64:ff9b::a9fe:a9fe]' is a link-local address"},
    {"2852039166:80/app:1", "host '2852039166' " + kNumberRule},
    {"0xa9fea9fe:80/app:1", "host '0xa9fea9fe' " + kNumberRule},
    {"0XA9FEA9FE:80/app:1", "host '0xa9fea9fe' " + kNumberRule},
    {"0251.0376.0251.0376:80/app:1", "host '0251.0376.0251.0376' " + kNumberRule},
    {"169.16689662:80/app:1", "host '169.16689662' " + kNumberRule},
    {"10.0.0.256/app:1", "host '10.0.0.256' " + kNumberRule},
    {"r.example.0x7f/app:1", "host 'r.example.0x7f' " + kNumberRule},
};

TEST(Reference, SaysWhyItRefusesText) {
  for (const auto& [text, reason] : kRefused) {
    SCOPED_TRACE(text);
    const auto reference = Reference::parse(text);
    if (reference) {
      ADD_FAILURE() << "was accepted as " << reference->str();
      continue;
    }
    EXPECT_EQ(reference.error().kind, Kind::invalid);
    EXPECT_EQ(reference.error().message, reason);
  }
}

// reliability 7: a name of 100 000; the time must not grow with the square of the length
TEST(Reference, RefusesAHugeNameQuickly) {
  const std::string names[] = {std::string(100'000, 'x'),          std::string(100'000, '/'),
                               std::string(100'000, ':'),          std::string(100'000, '@'),
                               std::string(100'000, '.') + "/app", "r.example/" + std::string(100'000, '-')};
  const auto begin = std::chrono::steady_clock::now();
  for (const auto& name : names) {
    const auto reference = Reference::parse(name);
    ASSERT_FALSE(reference);
    EXPECT_LT(reference.error().message.size(), 300u);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace windlass
