// Stacks with encrypted files, through the whole pipeline.
#include "deploy/pipeline_fixture.h"
#include "sops/vectors.h"

namespace windlass {
namespace {

class SecretFiles : public PipelineTest {
 protected:
  SecretFiles() {
    processes.answer = [](const Command&) -> Result<Exit> { return fail(Kind::not_found, "no sops"); };
    secret_environment = {{"SOPS_AGE_KEY", sops::vector_key()}};
    source.files["db.env"] = sops::vector("all.env");
    source.files["token.txt"] = sops::vector("all.txt");
    source.files[".doco-cd.yaml"] = "name: web\nenv_files: [db.env]\n";
    driver.models["web"] = R"({"name":"web","services":{
      "page":{"image":"nginx:1","pull_policy":"never","restart":"always","command":["serve","shop"],
              "secrets":[{"source":"token"}]}},"secrets":{"token":{"file":"{root}/token.txt"}}})";
    start();
  }
};

TEST_F(SecretFiles, AreDecryptedForTheStack) {
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.message;
  EXPECT_EQ(driver.environments["web"]["DB_USER"], "shop");
  EXPECT_EQ(live.plain, (std::map<std::string, std::string>{{"token.txt", sops::vector("plain/all.txt")}}));
  EXPECT_TRUE(fs::is_empty(folder / "run")) << "plain text goes with the run";
}

TEST_F(SecretFiles, WithoutTheKeyTouchNothing) {
  secret_environment = {{"SOPS_AGE_KEY", sops::vector_key("other_key.txt")}};
  start();
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_FALSE(outcome.passing_fault);
  EXPECT_NE(outcome.message.find("failed to decrypt file db.env: cannot decrypt db.env: needs one of age1"),
            std::string::npos)
      << outcome.message;
  EXPECT_TRUE(live.synced.empty());
  EXPECT_EQ(driver.upped, 0);
}

TEST_F(SecretFiles, ThatAreConfigurationsAreNotQuotedByFaults) {
  source.files[".doco-cd.yaml"] = sops::vector("groups.yaml");
  processes.answer = [](const Command&) -> Result<Exit> { return Exit{.out = "name: web\ntimeout: planted-value\n"}; };
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_NE(outcome.message.find("timeout: expected an integer, got text \"***\""), std::string::npos)
      << outcome.message;
}

TEST_F(SecretFiles, EncryptedAnewChangeNothing) {  // secrets/Q22
  ASSERT_EQ(run().status, RunStatus::succeeded);
  const auto id = id_of("page");
  release_2();
  source.files["token.txt"] += "\n";  // cipher text that says the same
  EXPECT_EQ(run().status, RunStatus::skipped);
  EXPECT_EQ(id_of("page"), id);
  source.files["token.txt"] = "a new token";
  source.settled = Settled{.deploy = Digest::of_sha256_hex(std::string(64, '3')), .reason = {}};
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_NE(id_of("page"), id);
}

TEST_F(SecretFiles, LeaveNoValueInTheState) {  // secrets/B4
  driver.models["web"] =
      R"({"name":"web","services":{"page":{"image":"nginx:1","pull_policy":"never","restart":"always",
    "command":["serve","--with=pa$$word with spaces \"and quotes\" #hash"]}}})";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  const auto model = releases->last_model({"web"});
  ASSERT_TRUE(model && *model);
  EXPECT_EQ(json::serialize(**model).find("pa$$word"), std::string::npos) << json::serialize(**model);
  EXPECT_NE(json::serialize(**model).find("\"serve\",\"(hidden "), std::string::npos) << json::serialize(**model);
}

TEST_F(SecretFiles, OfAStackThatIsLeftAloneStayDecrypted) {  // Q17
  source.files[".doco-cd.yaml"] = "name: web\nwebhook_filter: never\n---\nname: other\n";
  driver.models["other"] = R"({"name":"other","services":{"page":{"image":"nginx:1","pull_policy":"never"}}})";
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_TRUE(live.plain.empty()) << "nobody had it before";
  live.decrypted = {"token.txt", "gone.txt"};
  release_2();
  source.files["www/index.html"] = "v2";
  driver.models["other"] = R"({"name":"other","services":{"page":{"image":"nginx:2","pull_policy":"never"}}})";
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(live.plain, (std::map<std::string, std::string>{{"token.txt", sops::vector("plain/all.txt")}}));
}

TEST_F(SecretFiles, ComeBackWithTheirRelease) {  // secrets/B5
  source.files[".doco-cd.yaml"] += "rollback: {stable_for: 0s}\n";
  source.on_fetch = [this](const Digest& digest) {
    source.files["token.txt"] = digest == kDigest1 ? sops::vector("all.txt") : "a new token";
  };
  engine.exit_code = 3;
  ASSERT_EQ(run().status, RunStatus::succeeded);
  release_2();
  driver.before_up = [this](const std::string&) {
    engine.state = live.synced.back() == kDigest2.str() ? "exited" : "running";
  };
  const auto outcome = run();
  EXPECT_NE(outcome.message.find("rolled back to"), std::string::npos) << outcome.message;
  EXPECT_EQ(live.plain, (std::map<std::string, std::string>{{"token.txt", sops::vector("plain/all.txt")}}));
  EXPECT_TRUE(fs::is_empty(folder / "run"));
}

}  // namespace
}  // namespace windlass
