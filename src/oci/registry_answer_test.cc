#include "oci/registry_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace windlass {
namespace {

std::string told(const std::string& body) {
  const auto url = *parse_url("https://r.example/v2/app/blobs/x?sig=secret");
  const auto message = status_error("GET", url, {.status = 400, .headers = {}, .body = body}).message;
  const std::string begin = "GET https://r.example/v2/app/blobs/x: 400";
  return message.starts_with(begin) ? message.substr(begin.size()) : "?" + message;
}

// oci 3.4: code, message and detail, of a few errors
TEST(RegistryAnswer, TellsWhatTheRegistrySays) {
  const std::string many(1000, 'x');
  const std::pair<std::string, std::string> rows[] = {
      {R"({"errors":[{"code":"DENIED","message":"not for you"}]})", " DENIED: not for you"},
      {R"({"errors":[{"code":"DENIED"}]})", " DENIED"},
      {R"({"errors":[{"message":"not for you"}]})", " not for you"},
      {R"({"errors":[{"detail":"why"}]})", " why"},
      {R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":"unknown tag=1"}]})",
       " MANIFEST_UNKNOWN: manifest unknown (unknown tag=1)"},
      {R"({"errors":[{"code":"MANIFEST_UNKNOWN","detail":{"Tag": "1",
          "Other": [1, "two\n"]}}]})",
       R"( MANIFEST_UNKNOWN ({"Tag":"1","Other":[1,"two\n"]}))"},
      {R"({"errors":[{"code":"A","detail":null},{"code":"B","detail":{}},{"code":"C","detail":[]}]})", " A; B; C"},
      {R"({"errors":[{"code":"A"},"odd",{},{"code":"B"},{"code":"C"},{"code":"D"}]})", " A; B"},
      {R"({"errors":[{"code":"A","detail":"a\u001bb\nc"}]})", R"( A (a\x1bb\x0ac))"},
      {R"({"errors":[{"code":"A","detail":")" + many + "\"}]}", " A (" + std::string(256, 'x') + "…)"},
      {R"({"errors":[{"code":"A","message":"see https://s.example/x?sig=secret, or not?"}]})",
       " A: see https://s.example/x?*** or not?"},
      {R"({"errors":[{"code":"A","detail":{"url":"/x?sig=secret","n":1}}]})", R"( A ({"url":"/x?***","n":1}))"},
      {R"({"errors":[]})", ""},
      {R"({"errors":{"code":"A"}})", ""},
      {"<html>secret</html>", ""},
      {"", ""},
  };
  for (const auto& [body, words] : rows) {
    SCOPED_TRACE(body);
    EXPECT_EQ(told(body), words);
  }
}

TEST(RegistryAnswer, TellsAnUnknownRepositoryByTheFirstError) {
  const auto is_unknown = [](int status, const std::string& body) {
    return knows_no_repository({.status = status, .headers = {}, .body = body});
  };
  EXPECT_TRUE(is_unknown(404, R"({"errors":[{"code":"NAME_UNKNOWN"},{"code":"DENIED"}]})"));
  EXPECT_FALSE(is_unknown(404, R"({"errors":[{"code":"MANIFEST_UNKNOWN"},{"code":"NAME_UNKNOWN"}]})"));
  EXPECT_FALSE(is_unknown(403, R"({"errors":[{"code":"NAME_UNKNOWN"}]})"));
  EXPECT_FALSE(is_unknown(404, "{}"));
}

}  // namespace
}  // namespace windlass
