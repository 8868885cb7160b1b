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
  std::map<std::string, ServiceInputs> inputs() {
    InputHasher hasher(Secret("key of this installation"));
    return service_inputs(parse_json(model)->get_object(), environment, tree, "/live", hasher);
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
  std::map<std::string, std::string> environment = {{"TOKEN", "t1"}, {"MOTD", "m1"}, {"OTHER", "o1"}};
  UnpackedTree tree;
};

using Changes = std::map<std::string, std::vector<std::string>>;

TEST_F(ServiceInputsTest, NameWhatChangedAndWhere) {  // deploy/N5 to N12
  EXPECT_EQ(after([] {}), Changes{});
  EXPECT_EQ(after([&] { replace("nginx:1", "nginx:2"); }), (Changes{{"web", {"image changed"}}}));
  EXPECT_EQ(after([&] { tree.entries[2].content = "w2"; }),
            (Changes{{"web", {"content of www mounted at /www changed"}}}));
  EXPECT_EQ(after([&] { tree.entries.insert(tree.entries.begin() + 3, file("www/new.html", "n")); }),
            (Changes{{"web", {"content of www mounted at /www changed"}}}));
  EXPECT_EQ(after([&] { tree.entries[0].content = "c2"; }), (Changes{{"web", {"content of config conf changed"}}}));
  EXPECT_EQ(after([&] { tree.entries[1].content = "s2"; }), (Changes{{"web", {"content of secret pass changed"}}}));
  EXPECT_EQ(after([&] { replace("t_front", "u_front"); }), (Changes{{"web", {"network front changed"}}}));
  EXPECT_EQ(after([&] { replace("t_data", "u_data"); }), (Changes{{"web", {"volume data changed"}}}));
  EXPECT_EQ(after([&] { replace("\"environment\": {\"A\": \"1\"},", ""); }),
            (Changes{{"web", {"environment removed"}}}));
}

TEST_F(ServiceInputsTest, SeeTheValueBehindAVariable) {  // deploy/N9
  model = R"({"services": {"web": {"secrets": [{"source": "token"}], "configs": ["motd"]}, "db": {}},
    "secrets": {"token": {"environment": "TOKEN"}}, "configs": {"motd": {"environment": "MOTD"}}})";
  EXPECT_EQ(after([&] { environment["TOKEN"] = "t2"; }), (Changes{{"web", {"content of secret token changed"}}}));
  EXPECT_EQ(after([&] { environment["MOTD"] = "m2"; }), (Changes{{"web", {"content of config motd changed"}}}));
  EXPECT_EQ(after([&] { environment.erase("TOKEN"); }), (Changes{{"web", {"content of secret token removed"}}}));
  EXPECT_EQ(after([&] { environment["OTHER"] = "o2"; }), Changes{});
}

TEST_F(ServiceInputsTest, SeeAllThatAnImageIsBuiltFrom) {  // deploy/N14
  model = R"({"services": {"web": {"build": {"context": "/live/app", "dockerfile": "../docker/Web.Dockerfile",
      "additional_contexts": {"lib": "/live/lib", "base": "docker-image://alpine"},
      "secrets": [{"source": "npm"}, {"source": "key"}]}}},
    "secrets": {"npm": {"file": "/live/npmrc"}, "key": {"environment": "TOKEN"}}})";
  tree.entries = {file("app/main.c", "1"), file("docker/Other.Dockerfile", "1"), file("docker/Web.Dockerfile", "1"),
                  file("lib/lib.c", "1"), file("npmrc", "1")};
  const std::pair<std::size_t, const char*> reasons[] = {{0, "build context changed"},
                                                         {2, "Dockerfile changed"},
                                                         {3, "build context lib changed"},
                                                         {4, "content of build secret npm changed"}};
  for (const auto& [index, reason] : reasons)
    EXPECT_EQ(after([&, index = index] { tree.entries[index].content = "2"; }), (Changes{{"web", {reason}}}));
  EXPECT_EQ(after([&] { environment["TOKEN"] = "t2"; }), (Changes{{"web", {"content of build secret key changed"}}}));
  EXPECT_EQ(after([&] { tree.entries[1].content = "2"; }), Changes{}) << "not its Dockerfile";
  for (const auto& [index, reason] : reasons) EXPECT_FALSE(content_part(reason)) << reason << " cannot be ignored";
}

// compose makes no container anew for these either
TEST_F(ServiceInputsTest, LeaveOutWhatContainersAreNotMadeFrom) {
  model = R"({"services": {"web": {"image": "web:1", "scale": 1, "depends_on": {"db": {}}, "profiles": ["a"],
      "pull_policy": "always", "deploy": {"replicas": 2, "resources": {"limits": {"cpus": "1"}}}}}})";
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{R"("scale": 1)", R"("scale": 3)"},
                                                        {R"({"db": {}})", "{}"},
                                                        {R"(["a"])", R"(["b"])"},
                                                        {R"("always")", R"("never")"},
                                                        {R"("replicas": 2)", R"("replicas": 3)"}})
    EXPECT_EQ(after([&, &from = from, &to = to] { replace(from, to); }), Changes{}) << to;
  EXPECT_EQ(after([&] { replace(R"("cpus": "1")", R"("cpus": "2")"); }), (Changes{{"web", {"deploy changed"}}}));
  EXPECT_EQ(after([&] {
              replace(R"("deploy": {"replicas": 3, "resources": {"limits": {"cpus": "2"}}})",
                      R"("deploy": {"replicas": 5})");
            }),
            (Changes{{"web", {"deploy removed"}}}));
}

TEST_F(ServiceInputsTest, SeeWhatIsMountedSeveralTimesInAllOfThem) {
  model = R"({"services": {"web": {"volumes": [{"type": "bind", "source": "/live/www", "target": "/a"},
                                               {"type": "bind", "source": "/live/www", "target": "/b"}]},
                           "db": {"volumes": [{"type": "bind", "source": "/live/www/index.html", "target": "/c"},
                                              {"type": "bind", "source": "/live/none", "target": "/d"},
                                              {"type": "bind", "source": "/live", "target": "/e"}]}}})";
  EXPECT_EQ(after([&] { tree.entries[2].content = "w2"; }),
            (Changes{{"db", {"content of . mounted at /e changed", "content of www/index.html mounted at /c changed"}},
                     {"web", {"content of www mounted at /a changed", "content of www mounted at /b changed"}}}));
  EXPECT_EQ(after([&] { tree.entries.insert(tree.entries.begin() + 1, file("none", "n")); }),
            (Changes{{"db", {"content of . mounted at /e changed", "content of none mounted at /d added"}}}));
}

TEST_F(ServiceInputsTest, LeaveOutOtherFilesAndOurOwnLabels) {  // deploy/N6, N12
  EXPECT_EQ(after([&] { tree.entries[3].content = "o2"; }), Changes{}) << "www2 is not below www";
  EXPECT_EQ(after([&] { replace("\"now\"", "\"later\""); }), Changes{});
  EXPECT_EQ(after([&] { replace("\"x\": \"y\"", "\"x\": \"z\""); }), (Changes{{"web", {"labels changed"}}}));
}

TEST_F(ServiceInputsTest, DependOnTheKeyOfTheInstallation) {  // deploy/N9
  const auto mine = inputs();
  InputHasher other(Secret("another key"));
  EXPECT_NE(service_inputs(parse_json(model)->get_object(), environment, tree, "/live", other).at("db"), mine.at("db"));
}

}  // namespace
}  // namespace windlass
