#include "driver/handover.h"

#include <gtest/gtest.h>

#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct HandoverTest : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("windlass-" + new_uuid_v7());
  Handover handover{folder};
  Secret key{"key"};
  HandoverOrder order{.note = {.order = "job digest", .number = 2, .helper = "helper-2", .own_container = "c1"},
                      .stack = {.name = "web",
                                .model = {{"services", json::object{{"page", json::object{{"image", "p"}}}}}},
                                .environment = {{"TOKEN", "planted-token"}},
                                .secrets = {Secret("planted-secret")}},
                      .options = {.remove_orphans = false,
                                  .project_dir = "/host/web",
                                  .own_service = "page",
                                  .own_order = "job digest"},
                      .own = {{"Id", "c1"}},
                      .up_timeout = 30s,
                      .take_timeout = 60s,
                      .host_data_dir = "/host"};
  ~HandoverTest() override { fs::remove_all(folder); }
};

TEST_F(HandoverTest, GivesAnOrder) {
  EXPECT_FALSE(*handover.note());
  EXPECT_EQ(handover.order(key).error().kind, Kind::not_found);
  ASSERT_TRUE(handover.give(order, key));
  EXPECT_EQ((*handover.note())->id(), "job digest 2");
  EXPECT_EQ((*handover.note())->helper, "helper-2");
  const auto got = handover.order(key);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->note.own_container, "c1");
  EXPECT_EQ(got->stack.name, "web");
  EXPECT_EQ(got->stack.model, order.stack.model);
  EXPECT_EQ(got->stack.environment, order.stack.environment);
  ASSERT_EQ(got->stack.secrets.size(), 1u);
  EXPECT_EQ(got->stack.secrets[0].reveal(), "planted-secret");
  EXPECT_FALSE(got->options.remove_orphans);
  EXPECT_EQ(got->options.project_dir, "/host/web");
  EXPECT_EQ(got->options.own_service, "page");
  EXPECT_EQ(got->own, order.own);
  EXPECT_EQ(got->up_timeout, 30s);
  EXPECT_EQ(got->take_timeout, 60s);
  EXPECT_EQ(got->host_data_dir, "/host");
}

TEST_F(HandoverTest, IsReadWithItsKeyOnly) {
  ASSERT_TRUE(handover.give(order, key));
  const auto text = read_file(folder / "order", 1 << 20).value();
  EXPECT_EQ(text.find("planted"), text.npos);
  EXPECT_EQ(fs::status(folder / "order").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(handover.order(Secret("other")).error().kind, Kind::invalid);
  ASSERT_TRUE(handover.forget_content());
  EXPECT_FALSE(handover.order(key));
  EXPECT_EQ((*handover.note())->id(), "job digest 2") << "who did it stays known";
}

TEST_F(HandoverTest, TellsOfThatOrderAlone) {
  ASSERT_TRUE(handover.give(order, key));
  const auto note = **handover.note();
  auto next = note;
  ++next.number;
  EXPECT_FALSE(handover.is_taken(note));
  EXPECT_FALSE(*handover.result(note));
  ASSERT_TRUE(handover.take(note));
  EXPECT_TRUE(handover.is_taken(note));
  EXPECT_FALSE(handover.is_taken(next));
  ASSERT_TRUE(handover.end(note, {}));
  ASSERT_TRUE(*handover.result(note));
  EXPECT_FALSE((*handover.result(note))->error);
  EXPECT_FALSE(*handover.result(next));
  ASSERT_TRUE(handover.end(next, {.error = Error{Kind::conflict, "no"}}));
  const auto end = **handover.result(next);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->kind, Kind::conflict);
  EXPECT_EQ(end.error->message, "no");
}

TEST_F(HandoverTest, TakesWhatIsDamagedForUnsaid) {
  for (const auto* damage : {"", "{", "[]", "\1garbage"}) {
    ASSERT_TRUE(handover.give(order, key));
    for (const auto* name : {"taken", "result"}) ASSERT_TRUE(write_file(folder / name, damage, 0600));
    EXPECT_FALSE(handover.is_taken(order.note));
    const auto ended = handover.result(order.note);
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_FALSE(*ended);
    ASSERT_TRUE(write_file(folder / "order", damage, 0600));
    const auto note = handover.note();
    ASSERT_TRUE(note) << note.error().message;
    EXPECT_FALSE(*note);
    EXPECT_EQ(handover.order(key).error().kind, Kind::not_found);
  }
}

TEST_F(HandoverTest, BeginsAnew) {
  ASSERT_TRUE(handover.take(order.note));
  fs::create_directories(folder / "result" / "odd");
  ASSERT_TRUE(handover.give(order, key));
  EXPECT_FALSE(handover.is_taken(order.note));
  EXPECT_FALSE(*handover.result(order.note));
}

}  // namespace
}  // namespace windlass
