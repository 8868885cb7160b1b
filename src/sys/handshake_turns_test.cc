#include "sys/handshake_turns.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace windlass {
namespace {

struct HandshakeTurnsTest : testing::Test {
  void enter(const std::string& name) {
    auto& place = places.emplace_back(std::make_unique<std::optional<Held>>());
    place->emplace(turns, [this, name, &place = *place] {
      seen.push_back(name);
      place.reset();
    });
  }
  struct Held {
    Held(HandshakeTurns& turns, std::function<void()> go_on) : place(turns.enter(std::move(go_on))) {}
    HandshakeTurns::Place place;
  };

  boost::asio::io_context io{1};
  HandshakeTurns turns{io};
  std::vector<std::unique_ptr<std::optional<Held>>> places;
  std::vector<std::string> seen;
};

TEST_F(HandshakeTurnsTest, ComeOneAtATimeAndTheNewestFirst) {
  for (const auto* name : {"first", "second", "third"}) enter(name);
  EXPECT_TRUE(seen.empty());
  boost::asio::post(io, [&] { seen.push_back("something else"); });
  io.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"third", "something else", "second", "first"}));
}

TEST_F(HandshakeTurnsTest, PassOverWhoeverHasLeft) {
  for (const auto* name : {"first", "second", "third"}) enter(name);
  places[2]->reset();
  boost::asio::post(io, [&] { enter("late"); });
  io.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"second", "late", "first"}));
}

}  // namespace
}  // namespace windlass
