#include "sys/tls_identity.h"

#include <gtest/gtest.h>

#include "sys/files.h"
#include "sys/test_certificate.h"

namespace windlass {
namespace {

TEST(TlsIdentity, ChangesWithItsFiles) {
  const TestCertificate one("one"), other("other");
  const auto first = TlsIdentity::load(one.file(), one.key_file());
  const auto again = TlsIdentity::load(one.file(), one.key_file());
  const auto second = TlsIdentity::load(other.file(), other.key_file());
  ASSERT_TRUE(first && again && second);
  EXPECT_EQ(first->certificate_hash, again->certificate_hash);
  EXPECT_EQ(first->key_hash, again->key_hash);
  EXPECT_NE(first->certificate_hash, second->certificate_hash);
  EXPECT_NE(first->key_hash, second->key_hash);
}

TEST(TlsIdentity, SaysWhatIsWrongWithItsFiles) {
  const TestCertificate ec("ec"), other("other"), rsa("rsa", {"rsa:2048"});
  const auto text = ec.key_file() + ".txt";
  ASSERT_TRUE(write_file(text, "no PEM\n", 0600));
  const auto locked = ec.key_file() + ".locked";
  const Command lock{
      .program = "openssl",
      .arguments = {"pkcs8", "-topk8", "-in", ec.key_file(), "-out", locked, "-passout", "pass:opensesame"},
      .environment = {{"PATH", "/usr/bin:/bin"}}};
  ASSERT_TRUE(make_process_runner()->run(lock, Deadline::in(std::chrono::seconds(30))));
  const struct {
    std::string certificate, key, message;
  } rows[] = {
      {"/nowhere/cert.pem", ec.key_file(), "loading certificate: reading /nowhere/cert.pem: "},
      {ec.file(), "/nowhere/key.pem", "loading key: reading /nowhere/key.pem: "},
      {text, ec.key_file(), "loading certificate " + text + ": "},
      {ec.file(), text, "loading key " + text + ": "},
      {ec.file(), locked, "loading key " + locked + ": "},
      {ec.file(), other.key_file(), "loading key " + other.key_file() + ": key values mismatch"},
      {ec.file(), rsa.key_file(), "loading key " + rsa.key_file() + ": it is not the key of " + ec.file()},
  };
  for (const auto& row : rows) {
    const auto loaded = TlsIdentity::load(row.certificate, row.key);
    ASSERT_FALSE(loaded) << row.message;
    EXPECT_TRUE(loaded.error().message.starts_with(row.message)) << loaded.error().message;
  }
}

}  // namespace
}  // namespace windlass
