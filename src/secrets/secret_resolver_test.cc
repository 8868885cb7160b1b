#include "secrets/secret_resolver.h"

#include <gtest/gtest.h>

#include "secrets/fake_provider.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class SecretResolverTest : public ::testing::Test {
 protected:
  SecretResolverTest() {
    store.values = {{"a", "value-a"}, {"b", "value-b"}};
    make(5min);
  }
  void make(std::chrono::milliseconds interval) {
    resolver = std::make_unique<SecretResolver>(SecretResolver::Options{.refresh_interval = interval},
                                                std::make_unique<FakeProvider>(store), clock, log);
  }
  static std::string text(const SecretAnswers& answers, const std::string& reference) {
    const auto& answer = answers.at(reference);
    return answer ? answer->reveal() : "error: " + answer.error().message;
  }
  std::string recent(const std::string& reference) { return text(resolver->recent({reference}, {}), reference); }

  FakeProvider::State store;
  FakeClock clock;
  Log log{{.level = LogLevel::critical}};
  std::unique_ptr<SecretResolver> resolver;
};

TEST_F(SecretResolverTest, AsksOnceForAllReferences) {
  const auto answers = resolver->fetch({"a", "b", "c"}, {});
  EXPECT_EQ(text(answers, "a"), "value-a");
  EXPECT_EQ(text(answers, "b"), "value-b");
  EXPECT_FALSE(answers.at("c"));
  EXPECT_EQ(store.asked, (std::vector<std::vector<std::string>>{{"a", "b", "c"}}));
  EXPECT_TRUE(resolver->fetch({}, {}).empty());
  EXPECT_EQ(store.asked.size(), 1u);
}

TEST_F(SecretResolverTest, AsksAgainAfterTheInterval) {
  EXPECT_EQ(recent("a"), "value-a");
  store.values["a"] = "value-2";
  clock.advance(4min + 59s);
  EXPECT_EQ(recent("a"), "value-a");
  EXPECT_EQ(store.asked.size(), 1u);
  clock.advance(1s);
  EXPECT_EQ(recent("a"), "value-2");
  EXPECT_EQ(store.asked.size(), 2u);
}

TEST_F(SecretResolverTest, ForgetsWhatAnotherProviderHasSaid) {
  EXPECT_EQ(recent("a"), "value-a");
  FakeProvider::State other;
  resolver->use(std::make_unique<FakeProvider>(other));
  EXPECT_EQ(text(resolver->recent({"a"}, {}), "a"), "error: ");
  other.outage = Error{Kind::unavailable, "no route"};
  EXPECT_EQ(text(resolver->fetch_or_last({"a"}, {}), "a"), "error: no route");
  resolver->use(nullptr);
  EXPECT_FALSE(resolver->is_set_up());
  EXPECT_EQ(text(resolver->recent({"a"}, {}), "a"), "error: " + std::string(kNoProvider));
}

// An answer that comes too late is the asker's alone.
TEST_F(SecretResolverTest, KeepsNothingOfAProviderThatWentWhileItWasAsked) {
  struct Leaving final : SecretProvider {
    std::vector<Result<Secret>> fetch(const std::vector<std::string>&, const Deadline&) override {
      leave();
      return {Secret("value-of-before")};
    }
    std::function<void()> leave;
  };
  auto leaving = std::make_unique<Leaving>();
  leaving->leave = [this] { resolver->use(std::make_unique<FakeProvider>(store)); };
  resolver->use(std::move(leaving));
  EXPECT_EQ(recent("a"), "value-of-before");
  EXPECT_EQ(recent("a"), "value-a");
}

TEST_F(SecretResolverTest, AsksForThoseOnlyThatAreDue) {
  EXPECT_EQ(recent("a"), "value-a");
  clock.advance(3min);
  resolver->recent({"a", "b"}, {});
  EXPECT_EQ(store.asked.back(), (std::vector<std::string>{"b"}));
}

TEST_F(SecretResolverTest, AlwaysAsksWithIntervalZero) {
  make(0ms);
  recent("a");
  recent("a");
  EXPECT_EQ(store.asked.size(), 2u);
}

TEST_F(SecretResolverTest, LeavesAStoreThatIsAwayAloneForTheInterval) {
  store.outage = Error{Kind::unavailable, "no route"};
  EXPECT_EQ(recent("a"), "error: no route");
  EXPECT_EQ(recent("a"), "error: no route");
  EXPECT_EQ(store.asked.size(), 1u);
}

TEST_F(SecretResolverTest, FallsBackToTheLastValueOnlyWhereAsked) {
  resolver->fetch({"a"}, {});
  store.outage = Error{Kind::unavailable, "no route"};
  EXPECT_EQ(text(resolver->fetch({"a"}, {}), "a"), "error: no route");
  const auto answers = resolver->fetch_or_last({"a", "b"}, {});
  EXPECT_EQ(text(answers, "a"), "value-a");
  EXPECT_EQ(text(answers, "b"), "error: no route");
  store.outage = Error{Kind::denied, "revoked"};
  EXPECT_EQ(text(resolver->fetch_or_last({"a"}, {}), "a"), "error: revoked");
}

TEST_F(SecretResolverTest, RefusesWhatCannotBeAVariable) {
  store.values = {{"nul", std::string("a\0b", 3)}, {"long", std::string(100 << 10, 'x')}};
  const auto answers = resolver->fetch({"nul", "long"}, {});
  EXPECT_EQ(text(answers, "nul"), "error: its value holds a NUL byte");
  EXPECT_EQ(text(answers, "long"), "error: its value is longer than 98304 bytes");
}

TEST_F(SecretResolverTest, MasksValuesAndTheirEncodedForms) {
  store.values["a"] = "pass word/äöü";
  resolver->fetch({"a"}, {});
  EXPECT_EQ(log.masked("is pass word/äöü, cGFzcyB3b3JkL8Okw7bDvA== and pass%20word%2F%C3%A4%C3%B6%C3%BC."),
            "is ***, *** and ***.");
}

TEST_F(SecretResolverTest, SaysWhenNoProviderIsSetUp) {
  SecretResolver none({}, nullptr, clock, log);
  EXPECT_FALSE(none.is_set_up());
  EXPECT_EQ(text(none.fetch({"a"}, {}), "a"), "error: external_secrets needs SECRET_PROVIDER");
  EXPECT_TRUE(resolver->is_set_up());
}

TEST(SecretValues, AreByVariable) {
  const SecretReferences references = {{"X", {.text = "a"}}, {"Y", {.text = "a"}}, {"Z", {.text = "b"}}};
  const SecretAnswers answers = {{"a", Secret("1")}, {"b", Secret("")}};
  const auto values = secret_values(references, answers);
  ASSERT_TRUE(values);
  EXPECT_EQ(values->at("X").reveal(), "1");
  EXPECT_EQ(values->at("Y").reveal(), "1");
  EXPECT_EQ(values->at("Z").reveal(), "");
}

TEST(SecretValues, SayAllThatIsMissing) {
  struct Row {
    SecretReferences references;
    Kind kind;
    std::string_view message;
  };
  const SecretAnswers answers = {{"a", Secret("1")},
                                 {"gone", fail(Kind::not_found, "")},
                                 {"key", fail(Kind::not_found, "key k not found in secret s")},
                                 {"away", fail(Kind::unavailable, "no route")},
                                 {"denied", fail(Kind::denied, "GET http://x: status 403")}};
  for (const auto& [references, kind, message] : std::initializer_list<Row>{
           {{{"X", {.text = "gone"}}}, Kind::not_found, "secret not found: X (gone)"},
           {{{"X", {.text = "key"}}}, Kind::not_found, "secret not found: X (key): key k not found in secret s"},
           {{{"X", {.text = "unknown"}}}, Kind::not_found, "secret not found: X (unknown)"},
           {{{"X", {.text = "away"}}}, Kind::unavailable, "external secret X (away): no route"},
           {{{"X", {.text = "away"}}, {"Y", {.text = "denied"}}},
            Kind::denied,
            "external secret X (away): no route; external secret Y (denied): GET http://x: status 403"},
           {{{"A", {.text = "a"}}, {"X", {.text = "gone"}}, {"Y", {.text = "away"}}},
            Kind::not_found,
            "secret not found: X (gone); external secret Y (away): no route"},
       }) {
    const auto values = secret_values(references, answers);
    ASSERT_FALSE(values);
    EXPECT_EQ(values.error().kind, kind);
    EXPECT_EQ(values.error().message, message);
  }
}

}  // namespace
}  // namespace windlass
