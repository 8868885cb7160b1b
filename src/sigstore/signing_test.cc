#include "sigstore/signing.h"

#include <gtest/gtest.h>

#include <cstring>

#include "sigstore/key_fixture.h"
#include "sigstore/pem.h"

namespace windlass {
namespace {

constexpr std::string_view kPayload = R"({"critical":{}})";

// Made by `cosign generate-key-pair` with the password "pw", and its public key.
constexpr const char* kCosignKey =
    "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
    "eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6\n"
    "OCwicCI6MX0sInNhbHQiOiJxZ1MxYmwwZXdUUkJ5Z2ErY0oyWEZNSVBXenNMSVls\n"
    "MlVMeGd4RHMrYlF3PSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94\n"
    "Iiwibm9uY2UiOiJKTUFuNDZuNXNCbmxHampxT0wrdlRSMEVsejl1ek1ZeiJ9LCJj\n"
    "aXBoZXJ0ZXh0IjoiNE51QWsyTTNFa3ZVQjgyVklWcy9xclhMM08zamExRFA3cFpp\n"
    "TlJ0alpsMVlRQ1NzQzRDVFM3clZCZGNqY2xEN0p4YTd3YmEwZ0ZIMHdKU0hES2M1\n"
    "ZzVXSXN0NWpaK1FKM1E2cHdvTW1hU0NQYU5leGorK3FhdlZpa3ZwT2RMallBZEVs\n"
    "YzA2WjJ0WG0rUkhxREJMa0wyM3FVOHNtMGovaCtkOWFKOVZqTXZOVDY1MFEvMWRL\n"
    "TnBzL29uL0JTWFBtdmlLQ2RONVhJRnpCTUE9PSJ9\n"
    "-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
constexpr std::string_view kCosignFingerprint =
    "SHA256:f4904a38e12efcad6ff01763727a8e8d52f22f58c3d94a63c81c5f3601ebf780";

std::string encrypted_pem(const TestKey& key, const char* password) {
  const openssl::Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.handle(), EVP_aes_256_cbc(), password,
                                static_cast<int>(std::strlen(password)), nullptr, nullptr);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

TEST(SigningKey, SignsWhatItsPublicKeyVerifies) {
  std::vector<TestKey> keys;
  for (const auto* curve : {"P-256", "P-384", "P-521"}) keys.push_back(TestKey::ec(curve));
  keys.push_back(TestKey::rsa(2048));
  keys.push_back(TestKey::ed25519());
  for (const auto& test_key : keys) {
    SCOPED_TRACE(test_key.public_key().algorithm());
    const auto key = SigningKey::parse(test_key.private_pem(), Secret());
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->public_key(), test_key.public_key());
    const auto signature = key->sign(kPayload);
    ASSERT_TRUE(signature) << signature.error().message;
    EXPECT_TRUE(key->public_key().verifies(kPayload, *signature, SignedForm::simple_payload));
  }
}

TEST(SigningKey, OpensCosignsKeyFiles) {
  const auto key = SigningKey::parse(kCosignKey, Secret("pw"));
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->public_key().fingerprint(), kCosignFingerprint);
  std::string old_name(kCosignKey);
  for (auto at = old_name.find("SIGSTORE"); at != old_name.npos; at = old_name.find("SIGSTORE"))
    old_name.replace(at, 8, "COSIGN");
  EXPECT_TRUE(SigningKey::parse(old_name, Secret("pw")));
}

TEST(SigningKey, OpensEncryptedPkcs8) {
  const auto test_key = TestKey::ec("P-256");
  const auto key = SigningKey::parse(encrypted_pem(test_key, "secret"), Secret("secret"));
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->public_key(), test_key.public_key());
}

std::string box(std::string_view text) { return write_pem("ENCRYPTED SIGSTORE PRIVATE KEY", text); }

TEST(SigningKey, SaysWhyItRefusesText) {
  const auto test_key = TestKey::ec("P-256");
  struct Case {
    std::string pem, password, message;
    Kind kind = Kind::invalid;
  };
  const std::string good_cipher = R"("cipher":{"name":"nacl/secretbox","nonce":")" +
                                  base64_encode(std::string(24, 'n')) + R"("},"ciphertext":")" +
                                  base64_encode(std::string(40, 'c')) + "\"";
  const Case cases[] = {
      {kCosignKey, "wrong", "the password does not open the key", Kind::denied},
      {kCosignKey, "", "the password does not open the key", Kind::denied},
      {encrypted_pem(test_key, "secret"), "wrong", "the password does not open the key", Kind::denied},
      {"", "", "found no PEM block (-----BEGIN …-----)"},
      {test_key.pem(), "",
       "want a PEM block 'PRIVATE KEY', 'ENCRYPTED PRIVATE KEY' or 'ENCRYPTED SIGSTORE PRIVATE KEY', found 'PUBLIC "
       "KEY'"},
      {TestKey::rsa(1024).private_pem(), "", "the RSA key has 1024 bits, want 2048 to 8192"},
      {box("{"), "", "invalid JSON at byte 2: incomplete JSON"},
      {box(R"({"kdf":{"name":"argon2"}})"), "", "kdf.name: want scrypt"},
      {box(R"({"kdf":{"name":"scrypt"},"cipher":{"name":"aes"}})"), "", "cipher.name: want nacl/secretbox"},
      {box(R"({"kdf":{"name":"scrypt"},"cipher":{"name":"nacl/secretbox","nonce":"AAAA"}})"), "",
       "cipher.nonce: want 24 bytes"},
      {box(R"({"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":"AAAA"},)" + good_cipher + "}"), "",
       "kdf.params: scrypt with N 1073741824, r 8, p 1 is not possible in 512 MiB"},
      {std::string(70'000, 'x'), "", "a private key has at most 65536 bytes, got 70000"},
  };
  for (const auto& [pem, password, message, kind] : cases) {
    SCOPED_TRACE(message);
    const auto key = SigningKey::parse(pem, Secret(password));
    ASSERT_FALSE(key) << "was accepted";
    EXPECT_EQ(key.error().message, message);
    EXPECT_EQ(key.error().kind, kind);
  }
  EXPECT_FALSE(SigningKey::parse(write_pem("PRIVATE KEY", "junk"), Secret()));
  EXPECT_FALSE(SigningKey::parse(write_pem("ENCRYPTED PRIVATE KEY", "junk"), Secret()));
}

}  // namespace
}  // namespace windlass
