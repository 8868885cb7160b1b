#include "deploy/service_inputs.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

constexpr std::string_view kModel = R"({
  "services": {
    "web": {
      "image": "nginx:1", "environment": {"A": "1"}, "labels": {"x": "y", "cd.doco.deployment.timestamp": "now"},
      "volumes": [{"type": "bind", "source": "/live/www", "target": "/www"},
                  {"type": "bind", "source": "/etc/hosts", "target": "/h"},
                  {"type": "volume", "source": "data", "target": "/data"}],
      "configs": [{"source": "conf", "target": "/conf"}],
      "secrets": [{"source": "pass"}],
      "networks": {"front": null}
    },
    "db": {"image": "db:1"}
  },
  "configs": {"conf": {"file": "/live/app.conf"}},
  "secrets": {"pass": {"file": "/live/secrets/pass"}},
  "volumes": {"data": {"name": "t_data"}},
  "networks": {"front": {"name": "t_front"}}
})";

TreeEntry file(const std::string& path, const std::string& content) {
  return {.path = path, .type = EntryType::file, .mode = 0644, .content = content};
}

class ServiceInputsTest : public ::testing::Test {
 protected:
  ServiceInputsTest() {
    tree.entries = {file("app.conf", "c1"), file("secrets/pass", "s1"), file("www/index.html", "w1"),
                    file("www2/other.html", "o1")};
  }
  std::map<std::string, std::string> environment = {{"CERT", "first"}};
  std::map<std::string, ServiceInputs> inputs() {
    InputHasher hasher(Secret("key of this installation"));
    return service_inputs(parse_json(model)->get_object(), tree, "/live", environment, hasher);
  }
  // The differences of each service after `change` was made.
  std::map<std::string, std::vector<std::string>> after(const std::function<void()>& change) {
    const auto before = inputs();
    change();
    std::map<std::string, std::vector<std::string>> result;
    for (const auto& [service, now] : inputs())
      if (auto list = differences(before.at(service), now); !list.empty()) result[service] = list;
    return result;
  }
  void replace(const std::string& from, const std::string& to) { model.replace(model.find(from), from.size(), to); }

  std::string model{kModel};
  UnpackedTree tree;
};

using Changes = std::map<std::string, std::vector<std::string>>;

TEST_F(ServiceInputsTest, NameWhatChangedAndWhere) {  // deploy/N5 to N12
  EXPECT_EQ(after([] {}), Changes{});
  EXPECT_EQ(after([&] { replace("nginx:1", "nginx:2"); }), (Changes{{"web", {"image changed"}}}));
  EXPECT_EQ(after([&] { tree.entries[2].content = "w2"; }),
            (Changes{{"web", {"content of www mounted at /www changed"}}}));
  EXPECT_EQ(after([&] { tree.entries.push_back(file("www/new.html", "n")); }),
            (Changes{{"web", {"content of www mounted at /www changed"}}}));
  EXPECT_EQ(after([&] { tree.entries[0].content = "c2"; }), (Changes{{"web", {"content of config conf changed"}}}));
  EXPECT_EQ(after([&] { tree.entries[1].content = "s2"; }), (Changes{{"web", {"content of secret pass changed"}}}));
  EXPECT_EQ(after([&] { replace("t_front", "u_front"); }), (Changes{{"web", {"network front changed"}}}));
  EXPECT_EQ(after([&] { replace("t_data", "u_data"); }), (Changes{{"web", {"volume data changed"}}}));
  EXPECT_EQ(after([&] { replace("\"environment\": {\"A\": \"1\"},", ""); }),
            (Changes{{"web", {"environment removed"}}}));
}

TEST_F(ServiceInputsTest, HoldWhatAVariableGivesToAConfigOrASecret) {
  replace(R"("secrets": {"pass": {"file": "/live/secrets/pass"}})", R"("secrets": {"pass": {"environment": "CERT"}})");
  EXPECT_EQ(after([&] { environment["CERT"] = "second"; }), (Changes{{"web", {"content of secret pass changed"}}}));
  EXPECT_EQ(after([&] { environment["OTHER"] = "x"; }), Changes{});
  EXPECT_EQ(after([&] { environment.erase("CERT"); }), (Changes{{"web", {"content of secret pass removed"}}}));
}

TEST_F(ServiceInputsTest, LeaveOutOtherFilesAndOurOwnLabels) {  // deploy/N6, N12
  EXPECT_EQ(after([&] { tree.entries[3].content = "o2"; }), Changes{}) << "www2 is not below www";
  EXPECT_EQ(after([&] { replace("\"now\"", "\"later\""); }), Changes{});
  EXPECT_EQ(after([&] { replace("\"x\": \"y\"", "\"x\": \"z\""); }), (Changes{{"web", {"labels changed"}}}));
}

TEST_F(ServiceInputsTest, DependOnTheKeyOfTheInstallation) {  // deploy/N9
  const auto mine = inputs();
  InputHasher other(Secret("another key"));
  EXPECT_NE(service_inputs(parse_json(model)->get_object(), tree, "/live", {}, other).at("db"), mine.at("db"));
}

}  // namespace
}  // namespace windlass
