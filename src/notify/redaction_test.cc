#include "notify/redaction.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(Redaction, CutsUrlsAndSecretsOut) {  // api/A5
  const std::pair<std::string, std::string> rows[] = {
      {"", ""},
      {"Bad Request", "Bad Request"},
      {"cannot reach slack://a/b/c, sorry", "cannot reach [REDACTED_URL] sorry"},
      {"POST http://apprise:8000/notify/key: connection refused", "POST [REDACTED_URL] connection refused"},
      {R"({"error":"no mailto://me:pw@x.example","details":[{"token":"abc"},{"Api_Key":7,"id":3}]})",
       R"({"error":"no [REDACTED_URL]","details":[{"token":"[REDACTED]"},{"Api_Key":"[REDACTED]","id":3}]})"},
      {"token=abc&id=3; AUTH: Basic abc, id: 4", "token=[REDACTED]&id=3; AUTH: [REDACTED], id: 4"},
      {R"(cut: {"password": "a\"b", "x": "y", "webhook_target": "z)",
       R"(cut: {"password": [REDACTED], "x": "y", "webhook_target": [REDACTED])"},
      {"the passport: 1", "the passport: [REDACTED]"},
      {"a://b c://d", "[REDACTED_URL] [REDACTED_URL]"},
      {"two\nlines", "two\\x0alines"},
      {"secret:", "secret:[REDACTED]"},
      {"= : ://", "= : ://"},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(redacted(text), expected);
}

TEST(Redaction, ShowsSoMuchOnly) {
  EXPECT_LE(redacted(std::string(100'000, 'x')).size(), 4096u + 3);
  EXPECT_LE(redacted("[\"" + std::string(100'000, 'x') + "\"]").size(), 4096u + 3);
}

}  // namespace
}  // namespace windlass
