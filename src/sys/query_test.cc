#include "sys/query.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(Query, GivesTheFirstValueDecoded) {
  EXPECT_EQ(query_value("a=1&wait=true&wait=false", "wait"), "true");
  EXPECT_EQ(query_value("w%61it=%74rue", "wait"), "true");
  EXPECT_EQ(query_value("wait", "wait"), "");
  EXPECT_EQ(query_value("wait=%zz&wait=1", "wait"), "1");
  EXPECT_EQ(query_value("q=a+b%2B", "q"), "a b+");
  EXPECT_EQ(query_value("", "wait"), std::nullopt);
  EXPECT_EQ(query_value("waiting=1", "wait"), std::nullopt);
}

TEST(Query, DecodesOnceAndStrictly) {
  EXPECT_EQ(percent_decoded("a%2Fb%252f"), "a/b%2f");
  for (const auto text : {"%", "%2", "%2g", "a%"}) EXPECT_EQ(percent_decoded(text), std::nullopt) << text;
}

TEST(Query, EncodesWhatHasAMeaning) {
  EXPECT_EQ(url_encode("a-Z_0.9~"), "a-Z_0.9~");
  EXPECT_EQ(url_encode("a b/c?&=%\xff"), "a%20b%2Fc%3F%26%3D%25%FF");
  EXPECT_EQ(url_encode("a/b:c", "/:"), "a/b:c");
}

TEST(Query, SeesWaysToAnotherPath) {
  for (const auto* path : {"..", ".", "a/..", "../b", "a/./b", "/a/../../b"})
    EXPECT_TRUE(has_dot_segment(path)) << path;
  for (const auto* path : {"", "a", "/a/b/", "...", "a/.b", "..a", "%2e%2e"})
    EXPECT_FALSE(has_dot_segment(path)) << path;
}

TEST(Query, FindsTheLastSegment) {
  EXPECT_EQ(last_segment("/v1/api/run/x", "/v1/api/run/"), "x");
  for (const auto path : {"/v1/api/run/", "/v1/api/run", "/v1/api/run/x/y", "/v1/api/run/x/"})
    EXPECT_EQ(last_segment(path, "/v1/api/run/"), std::nullopt) << path;
}

}  // namespace
}  // namespace windlass
