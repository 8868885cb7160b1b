#include "config/key_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass {
namespace {

// What is said of `key` where all of `known` were asked for.
std::string said_of(const std::string& key, const std::vector<std::string>& known) {
  const auto file = *parse_yaml(fmt::format("{}: x\n", key), "f");
  std::vector<std::string> faults;
  KeyReader read(*file.documents.at(0), "f", faults);
  for (const auto& each : known) read.take(each);
  return read.unknown_keys().at(0);
}

// config 3, unknown keys: the key, what it is taken for
TEST(KeyReader, SuggestsWhatWasProbablyMeant) {
  const std::vector<std::string> known = {"name",          "on",       "oci",     "build",         "watch", "url",
                                          "compose_files", "profiles", "destroy", "webhook_filter"};
  const std::pair<const char*, const char*> rows[] = {
      {"nmae", "name"},
      {"Name", "name"},
      {"nam", "name"},
      {"oic", "oci"},
      {"biuld", "build"},
      {"compose_file", "compose_files"},
      {"composeFiles", "compose_files"},
      {"compose-files", "compose_files"},
      {"destory", "destroy"},
      {"profile", "profiles"},
      {"webhookfilter", "webhook_filter"},
      {"WEBHOOK_FILTER", "webhook_filter"},
  };
  for (const auto& [key, meant] : rows)
    EXPECT_EQ(said_of(key, known), fmt::format("f:1: unknown key \"{}\", did you mean \"{}\"?", key, meant));
}

TEST(KeyReader, SuggestsNothingForAnotherWord) {
  const std::vector<std::string> known = {"name", "on", "oci", "url", "build", "watch", "verify", "timeout", "version"};
  for (const auto& key : std::vector<std::string>{"a", "no", "of", "tag", "ref", "env", "image", "batch_size", "branch",
                                                  "quiet", "time", "very", "environments", std::string(1000, 'n')}) {
    const auto said = said_of(key, known);
    EXPECT_EQ(said.find("did you mean"), said.npos) << said;
  }
}

}  // namespace
}  // namespace windlass
