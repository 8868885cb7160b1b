#include "model/digest.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

const std::string k64(64, 'a');

const std::pair<std::string, std::string> kRefused[] = {
    {"", "is required"},                                                                        // webhook/V3
    {"abc", "expected <algorithm>:<hex>"},                                                      // V4
    {":abc", "expected <algorithm>:<hex>"},                                                     // V4
    {"sha256:", "expected <algorithm>:<hex>"},                                                  // V4
    {"md5:" + k64, "unsupported algorithm \"md5\", expected sha256 or sha512"},                 // V5
    {"SHA256:" + k64, "unsupported algorithm \"SHA256\", expected sha256 or sha512"},           // V5
    {"sha256:" + k64.substr(1), "sha256 needs 64 hex characters, got 63"},                      // V6
    {"sha512:" + k64, "sha512 needs 128 hex characters, got 64"},                               // V6
    {"sha256:1F" + k64.substr(2), "character 'F' at position 2 is not lowercase hexadecimal"},  // V7
    {"sha256:" + k64.substr(1) + "\n", "character '\\x0a' at position 64 is not lowercase hexadecimal"},
};

TEST(Digest, SaysWhyItRefusesText) {
  for (const auto& [text, message] : kRefused) {
    SCOPED_TRACE(text);
    const auto digest = Digest::parse(text);
    ASSERT_FALSE(digest) << "was accepted";
    EXPECT_EQ(digest.error().message, message);
    EXPECT_EQ(digest.error().kind, Kind::invalid);
  }
}

TEST(Digest, TakesBothAlgorithms) {
  for (const auto& text : {"sha256:" + k64, "sha512:" + k64 + k64}) {
    const auto digest = Digest::parse(text);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->str(), text);
    EXPECT_EQ(digest->algorithm(), text.substr(0, 6));
    EXPECT_EQ(digest->hex(), text.substr(7));
  }
}

}  // namespace
}  // namespace windlass
