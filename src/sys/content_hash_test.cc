#include "sys/content_hash.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <set>

#include "base/text.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

const Secret kKey("key of this installation");

// The inner hash as AES-GCM makes it: the tag of a message that is only authenticated.
std::string gcm_tag(std::string_view key, std::string_view bytes) {
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const unsigned char iv[12] = {};
  std::string tag(16, '\0');
  int size = 0;
  const auto raw = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, raw(key), iv), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), nullptr, &size, raw(bytes), static_cast<int>(bytes.size())), 1);
  EXPECT_EQ(EVP_EncryptFinal_ex(context.get(), nullptr, &size), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()), 1);
  return tag;
}

TEST(ContentHash, IsTheHmacOfTheGmac) {
  const auto own_key = HmacSha256(kKey).sign("windlass content hash");
  HmacSha256 outer(Secret(std::string(own_key.begin(), own_key.end())));
  const auto derived = outer.sign("inner key");
  const std::string inner_key(derived.begin(), derived.begin() + 16);
  for (const auto& content : {std::string(), std::string("a"), std::string(100'000, 'x')}) {
    const auto hash = outer.sign(gcm_tag(inner_key, content));
    EXPECT_EQ(content_hash_hex(kKey, content), to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()}));
  }
}

TEST(ContentHash, IsTheSameInPiecesAndForTheNextContent) {
  const std::string content(1'000, 'c');
  ContentHash hash(kKey);
  for (const std::size_t piece : {1, 7, 16, 999, 1'000}) {
    for (std::size_t at = 0; at < content.size(); at += piece) hash.update(content.substr(at, piece));
    EXPECT_EQ(hash.finish_hex(), content_hash_hex(kKey, content)) << piece;
  }
  EXPECT_EQ(hash.finish_hex(), content_hash_hex(kKey, ""));
}

TEST(ContentHash, DiffersByContentAndKey) {
  std::set<std::string> hashes = {content_hash_hex(Secret("another"), "a"), content_hash_hex(Secret(""), "a")};
  for (const auto& content : {std::string(), std::string(1, '\0'), std::string(16, '\0'), std::string(17, '\0'),
                              std::string("a"), std::string("b"), std::string("ab")})
    hashes.insert(content_hash_hex(kKey, content));
  EXPECT_EQ(hashes.size(), 9u);
}

}  // namespace
}  // namespace windlass
