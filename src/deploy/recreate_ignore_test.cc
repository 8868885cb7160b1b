#include "deploy/recreate_ignore.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

std::string verdict(std::string_view label, std::string_view signal = "") {
  const auto ignore = RecreateIgnore::parse(label, signal);
  return ignore ? "fine" : ignore.error().message;
}

TEST(RecreateIgnore, CoversContentOnly) {  // deploy/N15
  const auto ignore = RecreateIgnore::parse("configs: [app, other]\nsecrets: []\nbindMounts:\n  - /etc/app\n", "");
  ASSERT_TRUE(ignore) << ignore.error().message;
  const std::pair<const char*, bool> parts[] = {
      {"content of config app", true},
      {"content of config third", false},
      {"config app", false},
      {"content of secret whatever", true},
      {"secret whatever", false},
      {"content of conf mounted at /etc/app", true},
      {"content of config app mounted at /etc/other", false},
      {"image", false},
      {"env file content", false},
      {"build context", false},
  };
  for (const auto& [part, expected] : parts) EXPECT_EQ(ignore->covers(part), expected) << part;
}

TEST(RecreateIgnore, TakesNullAndAnEmptyListForAll) {
  for (const auto* label : {"bindMounts:", "bindMounts: []", "bindMounts: ~", "{bindMounts: null, volumes: [data]}"}) {
    const auto ignore = RecreateIgnore::parse(label, "SIGHUP");
    ASSERT_TRUE(ignore) << label << ": " << ignore.error().message;
    EXPECT_TRUE(ignore->covers("content of . mounted at /srv")) << label;
    EXPECT_FALSE(ignore->covers("content of config app")) << label;
    EXPECT_EQ(ignore->signal(), "SIGHUP");
  }
}

TEST(RecreateIgnore, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(verdict(""), "ignore config is invalid: the label is empty");
  EXPECT_EQ(verdict("configs"),
            "ignore config is invalid: expected a mapping of configs, secrets, bindMounts, volumes to lists");
  EXPECT_EQ(verdict("images: []"),
            "ignore config is invalid: unknown scope 'images': expected configs, secrets, bindMounts or volumes");
  EXPECT_EQ(verdict("configs: [a, a]"), "ignore config is invalid: configs: 'a' is there twice");
  EXPECT_EQ(verdict("configs: a"), "ignore config is invalid: configs: expected a list");
  EXPECT_EQ(verdict("configs: [{a: b}]"), "ignore config is invalid: configs: expected a list of names");
  EXPECT_EQ(verdict("configs: []", "rm -rf"), "ignore config is invalid: 'rm -rf' is not a signal");
  for (const auto* signal : {"HUP", "SIGUSR1", "1", "RTMIN+3", "sigterm"})
    EXPECT_EQ(verdict("configs: []", signal), "fine");
}

TEST(RecreateIgnore, NamesTheServiceAndNeedsBothLabels) {  // deploy/N16
  const auto of = [](std::string_view labels) {
    const auto model = parse_json(R"({"services":{"db":{},"web":{"labels":)" + std::string(labels) + "}}}");
    const auto ignores = recreate_ignores(model->as_object());
    return ignores ? std::to_string(ignores->size()) : ignores.error().message;
  };
  EXPECT_EQ(of("{}"), "0");
  EXPECT_EQ(of(R"({"cd.doco.deployment.recreate.ignore":"configs: []"})"), "1");
  EXPECT_EQ(of(R"({"cd.doco.deployment.recreate.ignore":""})"),
            "service web: ignore config is invalid: the label is empty");
  EXPECT_EQ(of(R"({"cd.doco.deployment.recreate.ignore.signal":"HUP"})"),
            "service web: label cd.doco.deployment.recreate.ignore.signal needs cd.doco.deployment.recreate.ignore");
  EXPECT_EQ(of(R"({"cd.doco.deployment.recreate.ignore":"configs:","cd.doco.deployment.recreate.ignore.signal":""})"),
            "service web: label cd.doco.deployment.recreate.ignore.signal is empty");
}

TEST(RecreateIgnore, FindsTheFilesThatMustStayTheSame) {
  const auto model = parse_json(R"({
    "configs": {"app": {"file": "/live/conf/app.ini"}, "else": {"file": "/etc/else"}, "third": {"file": "/live/third"}},
    "secrets": {"key": {"file": "/live/key"}},
    "services": {"web": {
      "configs": [{"source": "app"}, {"source": "else"}, {"source": "third"}],
      "secrets": [{"source": "key"}],
      "volumes": [{"type": "bind", "source": "/live/nginx.conf", "target": "/etc/nginx.conf"},
                  {"type": "bind", "source": "/live/www", "target": "/www"},
                  {"type": "volume", "source": "data", "target": "/data"}],
      "labels": {"cd.doco.deployment.recreate.ignore": "{configs: [app, else], bindMounts: [/etc/nginx.conf]}"}}}})");
  const auto ignores = recreate_ignores(model->as_object());
  ASSERT_TRUE(ignores) << ignores.error().message;
  EXPECT_EQ(files_kept_in_place(model->as_object(), *ignores, "/live"),
            (std::set<std::string>{"conf/app.ini", "nginx.conf"}));
}

}  // namespace
}  // namespace windlass
