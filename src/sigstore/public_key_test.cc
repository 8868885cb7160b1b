#include "sigstore/public_key.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "sigstore/key_fixture.h"
#include "sigstore/pem.h"

namespace windlass {
namespace {

constexpr std::string_view kMessage = R"({"critical":{}})";

struct Case {
  const char* name;
  TestKey key;
  const EVP_MD* hash;  // null: pure Ed25519
  bool simple, envelope, log_record;
};

// Made once: finding the primes of an RSA key takes its time.
const TestKey& rsa_2048() {
  static const auto key = TestKey::rsa(2048);
  return key;
}

std::vector<Case> make_cases() {
  std::vector<Case> all;
  all.push_back({"ECDSA P-256", TestKey::ec("P-256"), EVP_sha256(), true, true, true});
  all.push_back({"ECDSA P-256", TestKey::ec("P-256"), EVP_sha384(), false, false, false});
  all.push_back({"ECDSA P-384", TestKey::ec("P-384"), EVP_sha384(), true, true, true});
  all.push_back({"ECDSA P-384", TestKey::ec("P-384"), EVP_sha256(), true, true, false});
  all.push_back({"ECDSA P-384", TestKey::ec("P-384"), EVP_sha512(), false, false, false});
  all.push_back({"ECDSA P-521", TestKey::ec("P-521"), EVP_sha512(), true, true, true});
  all.push_back({"ECDSA P-521", TestKey::ec("P-521"), EVP_sha256(), true, true, false});
  all.push_back({"RSA 2048", TestKey::rsa(2048), EVP_sha256(), true, true, true});
  all.push_back({"RSA 3072", TestKey::rsa(3072), EVP_sha256(), true, true, true});
  all.push_back({"RSA 2048", TestKey::rsa(2048), EVP_sha512(), false, false, false});
  all.push_back({"Ed25519", TestKey::ed25519(), nullptr, true, true, true});
  return all;
}

const std::vector<Case>& cases() {
  static const auto all = make_cases();
  return all;
}

TEST(PublicKey, TakesTheHashesOfItsKind) {  // oci 11.4
  for (const auto& [name, test_key, hash, simple, envelope, log_record] : cases()) {
    SCOPED_TRACE(std::string(name) + (hash != nullptr ? EVP_MD_get0_name(hash) : ""));
    const auto key = test_key.public_key();
    const auto signature = test_key.sign(kMessage, hash);
    EXPECT_EQ(key.algorithm(), name);
    EXPECT_EQ(key.verifies(kMessage, signature, SignedForm::simple_payload), simple);
    EXPECT_EQ(key.verifies(kMessage, signature, SignedForm::envelope), envelope);
    EXPECT_EQ(key.verifies(kMessage, signature, SignedForm::log_record), log_record);
  }
}

TEST(PublicKey, TakesPreHashedEd25519WhereSignersMakeIt) {  // oci 11.4
  const auto key = TestKey::ed25519();
  const auto signature = key.sign_hashed(kMessage);
  EXPECT_TRUE(key.public_key().verifies(kMessage, signature, SignedForm::simple_payload));
  EXPECT_TRUE(key.public_key().verifies(kMessage, signature, SignedForm::envelope));
  EXPECT_FALSE(key.public_key().verifies(kMessage, signature, SignedForm::log_record));
}

TEST(PublicKey, RefusesEveryChange) {
  for (const auto& [name, test_key, hash, simple, envelope, log_record] : cases()) {
    if (!simple) continue;
    SCOPED_TRACE(name);
    const auto key = test_key.public_key();
    const auto signature = test_key.sign(kMessage, hash);
    for (std::size_t i = 0; i < signature.size(); i += 7) {
      auto flipped = signature;
      flipped[i] = static_cast<char>(flipped[i] ^ 1);
      EXPECT_FALSE(key.verifies(kMessage, flipped, SignedForm::simple_payload)) << i;
    }
    EXPECT_FALSE(key.verifies(std::string(kMessage) + " ", signature, SignedForm::simple_payload));
    EXPECT_FALSE(key.verifies(kMessage, signature + '\0', SignedForm::simple_payload));
    EXPECT_FALSE(key.verifies(kMessage, signature.substr(0, signature.size() - 1), SignedForm::simple_payload));
    EXPECT_FALSE(key.verifies(kMessage, "", SignedForm::simple_payload));
  }
}

TEST(PublicKey, VerifiesAHashWhereTheMessageIsNotAtHand) {
  const auto hash = *from_hex(sha256_hex(kMessage));
  const auto p256 = TestKey::ec("P-256");
  const auto& rsa = rsa_2048();
  EXPECT_TRUE(p256.public_key().verifies_sha256(hash, p256.sign(kMessage)));
  EXPECT_TRUE(rsa.public_key().verifies_sha256(hash, rsa.sign(kMessage)));
  EXPECT_FALSE(p256.public_key().verifies_sha256(*from_hex(sha256_hex("other")), p256.sign(kMessage)));
  const auto ed25519 = TestKey::ed25519();
  EXPECT_FALSE(ed25519.public_key().verifies_sha256(hash, ed25519.sign(hash)));
}

TEST(PublicKey, IsNamedByTheHashOfItsDer) {
  const auto key = PublicKey::parse_pem(
      "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4HA0z2lGVU/yqphOqTxjx0WISmuf\n"
      "TGIVgVv+zvpd2IPcM70ClgMHJgZUqXMpmjU1BE3Fa9THBGLEGdHMSyuVxw==\n-----END PUBLIC KEY-----\n");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->fingerprint(), "SHA256:" + sha256_hex(key->der()));  // openssl pkey -pubin -outform DER | sha256sum
  EXPECT_EQ(key->fingerprint(), "SHA256:f4904a38e12efcad6ff01763727a8e8d52f22f58c3d94a63c81c5f3601ebf780");
}

TEST(PublicKey, ReadsBothForms) {  // oci 11.4
  const auto& rsa = rsa_2048();
  const auto pkcs1 = write_pem("RSA PUBLIC KEY", openssl::der_of(rsa.handle(), i2d_PublicKey));
  const auto from_pkcs1 = PublicKey::parse_pem(pkcs1);
  const auto from_pkix = PublicKey::parse_pem("a comment\r\n" + rsa.pem() + "trailing text");
  ASSERT_TRUE(from_pkcs1) << from_pkcs1.error().message;
  ASSERT_TRUE(from_pkix) << from_pkix.error().message;
  EXPECT_EQ(*from_pkcs1, *from_pkix);
  EXPECT_FALSE(*from_pkix == TestKey::ec("P-256").public_key());
}

TEST(PublicKey, TakesTheFirstBlockOnly) {  // oci 11.4
  const auto first = TestKey::ec("P-256"), second = TestKey::ec("P-256");
  const auto key = PublicKey::parse_pem(first.pem() + second.pem());
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(*key, first.public_key());
  EXPECT_FALSE(PublicKey::parse_pem(first.private_pem() + second.pem()));
}

TEST(PublicKey, SaysWhyItRefusesText) {
  const auto p256 = TestKey::ec("P-256");
  const std::pair<std::string, std::string_view> refused[] = {
      {"", "found no PEM block (-----BEGIN …-----)"},
      {"cosign.pub", "found no PEM block (-----BEGIN …-----)"},
      {"-----BEGIN PUBLIC KEY", "a PEM block begins without an end of its first line"},
      {"-----BEGIN PUBLIC KEY-----\nAAAA\n", "the PEM block 'PUBLIC KEY' has no end line"},
      {"-----BEGIN PUBLIC KEY-----\nA*AA\n-----END PUBLIC KEY-----", "the PEM block 'PUBLIC KEY' does not hold base64"},
      {write_pem("CERTIFICATE", "x"), "want a PEM block 'PUBLIC KEY' or 'RSA PUBLIC KEY', found 'CERTIFICATE'"},
      {p256.private_pem(), "want a PEM block 'PUBLIC KEY' or 'RSA PUBLIC KEY', found 'PRIVATE KEY'"},
      {write_pem("PUBLIC KEY", p256.der() + "x"), "not a public key: bytes after its end"},
      {TestKey::rsa(1024).pem(), "the RSA key has 1024 bits, want 2048 to 8192"},
      {TestKey::ec("secp256k1").pem(), "the curve of the ECDSA key is not P-256, P-384 or P-521"},
      {TestKey::ec("P-224").pem(), "the curve of the ECDSA key is not P-256, P-384 or P-521"},
      {std::string(70'000, 'x'), "a public key has at most 65536 bytes, got 70000"},
  };
  for (const auto& [pem, message] : refused) {
    SCOPED_TRACE(message);
    const auto key = PublicKey::parse_pem(pem);
    ASSERT_FALSE(key) << "was accepted";
    EXPECT_EQ(key.error().message, message);
  }
  EXPECT_FALSE(PublicKey::parse_pem(write_pem("PUBLIC KEY", p256.der().substr(1))));
}

}  // namespace
}  // namespace windlass
