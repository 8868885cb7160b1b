// What each sender's words come to; whole requests of theirs are in vectors/.
#include "webhook/registry/adapters.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sys/crypto.h"

namespace windlass {
namespace {

using Headers = std::vector<HttpHeader>;

const std::string kDigest = "sha256:" + std::string(64, 'd');

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

struct Row {
  std::string body;  // "$D" stands for a digest
  std::string outcome{};
  Headers headers{};
};

// Each event: the reason why it is ignored, or "artifact" or "artifact@$D".
std::string outcome(const RegistryHook& hook, const Row& row) {
  const ServerRequest request{.method = "POST", .headers = row.headers};
  const auto body = parse_json(replaced(row.body, "$D", kDigest));
  if (!body) return "no JSON: " + body.error().message;
  std::vector<std::string> events;
  for (const auto& event : adapter_of(hook.format)({request, *body}, hook))
    events.push_back(event.ignored          ? std::string(to_string(*event.ignored))
                     : event.digest.empty() ? event.artifact
                                            : event.artifact + "@" + replaced(event.digest, kDigest, "$D"));
  return fmt::format("{}", fmt::join(events, " "));
}

void expect(const RegistryHook& hook, const std::vector<Row>& rows) {
  for (const auto& row : rows) EXPECT_EQ(outcome(hook, row), row.outcome) << to_string(hook.format) << " " << row.body;
}

// registry-events 4.1, 4.7
TEST(RegistryAdapters, ReadDistribution) {
  const auto event = [](std::string_view members) { return fmt::format(R"({{"events":[{{{}}}]}})", members); };
  expect(
      {.format = RegistryFormat::distribution},
      {
          {"{}", "no_events"},
          {R"({"events":[]})", "no_events"},
          {event(R"("action":"push","target":{"url":"https://Out.Example/v2/a/manifests/x","repository":"a/b",
               "tag":"V1","digest":"$D"},"request":{"host":"inside:5000"})"),
           "out.example/a/b:V1@$D"},
          {event(R"("action":"push","target":{"url":"/v2/a/manifests/x","repository":"app","tag":"v"},
               "request":{"host":"r.example:5000"})"),
           "r.example:5000/app:v"},
          {event(R"("action":"push","target":{"repository":"app","tag":"v"})"), "no_registry_host"},
          {event(R"("action":"push","target":{"repository":"app","digest":"$D"},"request":{"host":"r.io"})"), "no_tag"},
          {event(R"("action":"push","target":{"repository":"app","tag":"v",
               "mediaType":"application/octet-stream"},"request":{"host":"r.io"})"),
           "not_manifest"},
          {event(R"("action":"push","target":{"repository":"app","tag":"v",
               "mediaType":"application/vnd.oci.image.index.v1+json"},"request":{"host":"r.io"})"),
           "r.io/app:v"},
          {event(R"("action":"pull","target":{"repository":"app","tag":"v"})"), "action_not_push"},
          {event(R"("action":"mount","target":{})"), "action_not_push"},
          {event(R"("action":"delete","target":{"repository":"app","tag":"v"})"), "action_not_push"},
          {event(R"("action":"delete","target":{"repository":"app"})"), "action_not_push"},
          {R"({"events":[{"action":"pull"},{"action":"push","target":{"repository":"app","tag":"v"},
               "request":{"host":"r.io"}},{"action":"push","target":{"repository":"app","tag":"w"},"request":{"host":"r.io"}},
               7]})",
           "action_not_push r.io/app:v r.io/app:w action_not_push"},
      });
  expect({.format = RegistryFormat::distribution, .registry_host = "public.example"},
         {{event(R"("action":"push","target":{"repository":"app","tag":"v"},"request":{"host":"r.io"})"),
           "public.example/app:v"}});
}

// registry-events 4.2, 4.3
TEST(RegistryAdapters, ReadHarbor) {
  const auto data = [](std::string_view resource) {
    return fmt::format(R"({{"repository":{{"repo_full_name":"team/sub/app"}},"resources":[{{{}}}]}})", resource);
  };
  const std::string pushed = data(R"("resource_url":"h.example:8443/team/sub/app:v","tag":"v","digest":"$D")");
  const std::string by_digest = data(R"("resource_url":"h.example/team/sub/app@$D","tag":"$D","digest":"$D")");
  const auto as_default = [](std::string_view type, const std::string& event) {
    return fmt::format(R"({{"type":"{}","event_data":{}}})", type, event);
  };
  std::vector<Row> rows = {
      {as_default("PUSH_ARTIFACT", pushed), "h.example:8443/team/sub/app:v@$D"},
      {as_default("pushImage", pushed), "h.example:8443/team/sub/app:v@$D"},
      {as_default("PUSH_ARTIFACT", by_digest), "no_tag"},
      {as_default("PUSH_ARTIFACT", "{}"), "no_events"},
      {R"({"type":"PUSH_ARTIFACT"})", "no_events"},
  };
  for (const auto* type : {"PULL_ARTIFACT", "DELETE_ARTIFACT", "SCANNING_COMPLETED", "SCANNING_STOPPED",
                           "SCANNING_FAILED", "QUOTA_EXCEED", "QUOTA_WARNING", "REPLICATION", "TAG_RETENTION"})
    rows.push_back({as_default(type, pushed), "event_not_push"});
  expect({.format = RegistryFormat::harbor_default}, rows);

  const auto as_event = [](std::string_view type, const std::string& event) {
    return fmt::format(R"({{"specversion":"1.0","type":"harbor.{}","data":{}}})", type, event);
  };
  rows = {{as_event("artifact.pushed", pushed), "h.example:8443/team/sub/app:v@$D"},
          {as_event("artifact.pushed", by_digest), "no_tag"}};
  for (const auto* type : {"artifact.pulled", "artifact.deleted", "scan.completed", "scan.failed", "scan.stopped",
                           "quota.exceeded", "quota.warned", "replication.status.changed", "tag_retention.finished"})
    rows.push_back({as_event(type, pushed), "event_not_push"});
  expect({.format = RegistryFormat::harbor_cloudevents}, rows);
}

TEST(RegistryAdapters, ReadDockerHub) {  // registry-events 4.4
  expect({.format = RegistryFormat::dockerhub},
         {
             {R"({"push_data":{"tag":"v","pushed_at":1.5e9,"images":["$D"]},"repository":{"repo_name":"me/app"},
               "callback_url":"https://registry.hub.docker.com/x"})",
              "docker.io/me/app:v"},
             {R"({"push_data":{"tag":"v"},"repository":{"repo_name":"nginx"}})", "docker.io/library/nginx:v"},
             {R"({"push_data":{},"repository":{"repo_name":"me/app"}})", "no_tag"},
         });
}

// registry-events 4.5
TEST(RegistryAdapters, ReadGitHub) {
  const auto package = [](std::string_view members, std::string_view action = "published") {
    return fmt::format(R"({{"action":"{}","package":{{{}}}}})", action, members);
  };
  const std::string url = R"("package_type":"CONTAINER","package_version":{"package_url":"ghcr.io/Acme/Shop:v1",)";
  const std::string other(R"("sha256:)" + std::string(64, 'e') + '"');
  expect(
      {.format = RegistryFormat::github_package},
      {
          {package(url + R"("version":"$D"})"), "ghcr.io/acme/shop:v1@$D"},
          {package(url + R"("version":"$D"})", "updated"), "ghcr.io/acme/shop:v1@$D"},
          {package(url + R"("version":"$D"})", "deleted"), "action_not_push"},
          {R"({"action":"published","registry_package":{)" + url + R"("version":"$D"}}})", "ghcr.io/acme/shop:v1@$D"},
          {package(url + R"("container_metadata":{"tag":{"name":"V2","digest":"$D"},"manifest":{"digest":)" + other +
                   "}}}"),
           "ghcr.io/acme/shop:V2@$D"},
          {package(url + R"("version":)" + other + R"(,"container_metadata":{"manifest":{"digest":"$D"}}})"),
           "ghcr.io/acme/shop:v1@$D"},
          {package(url + R"("version":"$D","container_metadata":{"tag":{"name":"","digest":"sha256:0"}}})"),
           "ghcr.io/acme/shop:v1@$D"},
          {package(R"("package_type":"container","package_version":{"package_url":"ghcr.io/a/b:","version":"$D",
               "container_metadata":{"tag":{"name":"v"}}})"),
           "ghcr.io/a/b:v@$D"},
          {package(R"("package_type":"container","package_version":{"package_url":"ghcr.io/a/b:"})"), "no_tag"},
          {package(R"("package_type":"container","package_version":{
               "package_url":"containers.ghe.example:8443/a/b:v"})"),
           "containers.ghe.example:8443/a/b:v"},
          {package(R"("ecosystem":"Docker","namespace":"Acme","name":"Shop","package_version":{
               "container_metadata":{"tag":{"name":"v"}}})"),
           "ghcr.io/acme/shop:v"},
          {package(R"("ecosystem":"container","package_version":{"package_url":"ghcr.io/a/b:v"})"), "ghcr.io/a/b:v"},
          {package(R"("package_type":"npm","package_version":{"package_url":"ghcr.io/a/b:v"})"), "not_container"},
          {R"({"action":"published"})", "event_not_push"},
          {R"({"zen":"x"})", "ping", {{"X-GitHub-Event", "ping"}}},
      });
}

// registry-events 4.6
TEST(RegistryAdapters, ReadQuay) {
  expect({.format = RegistryFormat::quay},
         {
             {R"({"docker_url":"quay.io/a/b","updated_tags":["v","w"]})", "quay.io/a/b:v quay.io/a/b:w"},
             {R"({"docker_url":"Quay.Example:8443/a/b","updated_tags":{"v":"$D"}})", "quay.example:8443/a/b:v"},
             {R"({"docker_url":"quay.io/a/b","updated_tags":[]})", "no_tag"},
             {R"({"docker_url":"quay.io/a/b","docker_tags":["v"]})", "event_not_push"},
             {R"({"docker_url":"quay.io/a/b","tags":["v"],"vulnerability":{}})", "event_not_push"},
             {R"({"docker_url":"quay.io/a/b","tags":["v"],"expiring_in":"x"})", "event_not_push"},
             {R"({"docker_url":"quay.io/a/b","message":"mirrored"})", "event_not_push"},
         });
}

// registry-events 4.8
TEST(RegistryAdapters, ReadGiteaAndForgejo) {
  const auto package = [](std::string_view members, std::string_view action = "created") {
    return fmt::format(R"({{"action":"{}","repository":null,"organization":null,"package":{{"owner":{{"login":"Me",
      "html_url":"https://git.example/me"}},"name":"App","version":"v1",{}}}}})",
                       action, members);
  };
  expect({.format = RegistryFormat::gitea_package},
         {
             {package(R"("type":"container","html_url":"https://git.example:3000/sub/path/me/-/packages/1")"),
              "git.example:3000/me/app:v1"},
             {package(R"("type":"container","html_url":"")"), "git.example/me/app:v1"},
             {package(R"("type":"container")", "deleted"), "action_not_push"},
             {package(R"("type":"npm")"), "not_container"},
             {R"({"action":"created"})", "event_not_push"},
             {R"({"action":"created","package":{"owner":{"login":"me"},"name":"a","version":"$D","type":"container"}})",
              "no_tag"},
             {R"({"action":"created","package":{"owner":{"login":"me"},"name":"a","version":"v","type":"container"}})",
              "no_registry_host"},
         });
}

// registry-events 4.9, 4.10
TEST(RegistryAdapters, ReadAzure) {
  const std::string push =
      R"({"id":"1","action":"push","target":{"repository":"app","tag":"v","digest":"$D",
      "mediaType":"application/vnd.docker.distribution.manifest.v2+json"},"request":{"host":"x.azurecr.io"}})";
  std::vector<Row> rows = {
      {push, "x.azurecr.io/app:v@$D"},
      {replaced(push, R"("tag":"v")", R"("tag":"")"), "no_tag"},
      {R"({"action":"ping"})", "ping"},
      {R"({"action":"chart_push","target":{"tag":"wordpress-5.4.0.tgz"}})", "event_not_push"},
      {R"({"action":"chart_delete","target":{}})", "event_not_push"},
      {replaced(push, R"("action":"push")", R"("action":"delete")"), "action_not_push"},
      {replaced(push, R"("action":"push")", R"("action":"quarantine")"), "action_not_push"},
  };
  expect({.format = RegistryFormat::acr}, rows);

  const auto event = [&](std::string_view key, std::string_view type) {
    return fmt::format(R"({{"{}":"Microsoft.ContainerRegistry.{}","data":{}}})", key, type, push);
  };
  rows = {
      {"[" + event("eventType", "ImagePushed") + "]", "x.azurecr.io/app:v@$D"},
      {event("type", "ImagePushed"), "x.azurecr.io/app:v@$D"},
      {"[" + event("type", "ImageDeleted") + "," + event("type", "ImagePushed") + "]",
       "event_not_push x.azurecr.io/app:v@$D"},
      {"[" + event("eventType", "ChartPushed") + "]", "event_not_push"},
      {"[" + event("eventType", "ChartDeleted") + "]", "event_not_push"},
      {R"([{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"c"}}])",
       "handshake"},
      {"[]", "no_events"},
  };
  expect({.format = RegistryFormat::acr_eventgrid}, rows);
}

// registry-events 4.11
TEST(RegistryAdapters, ReadEcr) {
  const auto event = [](std::string_view region, std::string_view detail) {
    return fmt::format(R"({{"detail-type":"ECR Image Action","source":"aws.ecr","account":"123456789012",
      "region":"{}","detail":{{"repository-name":"team/app",{}}}}})",
                       region, detail);
  };
  const std::string good = R"("action-type":"PUSH","result":"SUCCESS","image-tag":"v","image-digest":"$D")";
  std::vector<Row> rows = {
      {event("eu-west-1", good), "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v@$D"},
      {event("cn-north-1", good), "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app:v@$D"},
      {event("x", replaced(good, "PUSH", "DELETE")), "action_not_push"},
      {event("x", replaced(good, "SUCCESS", "FAILURE")), "result_not_success"},
      {event("x", replaced(good, R"("v")", R"("")")), "no_tag"},
      {event("x", R"("action-type":"PUSH","result":"SUCCESS","image-digest":"$D")"), "no_tag"},
      {event("x", good + R"(,"manifest-media-type":"application/vnd.oci.image.index.v1+json")"),
       "123456789012.dkr.ecr.x.amazonaws.com/team/app:v@$D"},
      {event("x", good + R"(,"manifest-media-type":"text/plain")"), "not_manifest"},
      {event("", good), "no_registry_host"},
      {event("x", replaced(good, "$D", "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234")),
       "123456789012.dkr.ecr.x.amazonaws.com/team/app:v"},  // as the documentation has it
  };
  for (const auto* type :
       {"ECR Image Scan", "ECR Scan Resource Change", "ECR Pull Through Cache Action", "ECR Replication Action"})
    rows.push_back({replaced(event("x", good), "ECR Image Action", type), "event_not_push"});
  expect({.format = RegistryFormat::ecr_eventbridge}, rows);
  expect({.format = RegistryFormat::ecr_eventbridge, .registry_host = "dual.example"},
         {{event("x", good), "dual.example/team/app:v@$D"}});
}

// registry-events 4.12
TEST(RegistryAdapters, ReadGoogle) {
  const std::pair<std::string, std::string> notifications[] = {
      {R"({"action":"INSERT","digest":"eu.pkg.dev/p/r/i@$D","tag":"eu.pkg.dev/p/r/i:v"})", "eu.pkg.dev/p/r/i:v@$D"},
      {R"({"action":"INSERT","tag":"eu.pkg.dev/p/r/i:v"})", "eu.pkg.dev/p/r/i:v"},
      {R"({"action":"INSERT","digest":"eu.pkg.dev/p/r/i@$D"})", "no_tag"},
      {R"({"action":"INSERT","tag":"localhost:5000/p/r/i"})", "no_tag"},
      {R"({"action":"DELETE","digest":"eu.pkg.dev/p/r/i@$D","tag":"eu.pkg.dev/p/r/i:v"})", "action_not_push"},
  };
  for (const auto& [text, expected] : notifications) {
    expect({.format = RegistryFormat::gar_unwrapped}, {{text, expected}});
    const auto data = base64_encode(replaced(text, "$D", kDigest));
    expect({.format = RegistryFormat::gar_pubsub},
           {{fmt::format(R"({{"message":{{"data":"{}","messageId":"1"}},"subscription":"s"}})", data), expected}});
  }
  expect({.format = RegistryFormat::gar_pubsub}, {{R"({"message":{"data":"!"},"subscription":"s"})", "no_events"},
                                                  {R"({"message":{"data":"bm8="},"subscription":"s"})", "no_events"},
                                                  {R"({"message":{},"subscription":"s"})", "no_events"}});
}

// registry-events 4.13
TEST(RegistryAdapters, ReadJFrog) {
  const auto event = [](std::string_view data, std::string_view type = "pushed", std::string_view domain = "docker") {
    return fmt::format(R"({{"domain":"{}","event_type":"{}","jpd_origin":"https://x.jfrog.example/artifactory",
      "data":{{"repo_key":"local","tag":"v",{}}}}})",
                       domain, type, data);
  };
  const std::string hex(64, 'd');
  const std::string manifest = R"("path":"team/app/v/manifest.json","name":"manifest.json","sha256":")" + hex + '"';
  expect({.format = RegistryFormat::jfrog},
         {
             {event(manifest), "x.jfrog.example/local/team/app:v@$D"},
             {event(replaced(manifest, "manifest.json", "list.manifest.json")), "x.jfrog.example/local/team/app:v@$D"},
             {event(replaced(manifest, "manifest.json", "layer.tgz")), "x.jfrog.example/local/team/app:v"},
             {event(replaced(manifest, hex, "sample")), "x.jfrog.example/local/team/app:v"},
             {event(R"("path":"v/manifest.json","image_name":"app")"), "x.jfrog.example/local/app:v"},
             {event(R"("image_name":"team/app")"), "x.jfrog.example/local/team/app:v"},
             {event(manifest + R"(,"image_type":"oci")"), "x.jfrog.example/local/team/app:v@$D"},
             {event(manifest + R"(,"image_type":"helm")"), "not_container"},
             {event(replaced(manifest, "\"v\"", "") + R"(,"x":1)", "deleted"), "event_not_push"},
             {event(manifest, "promoted"), "event_not_push"},
             {event(manifest, "pushed", "artifact"), "event_not_push"},
             {replaced(event(manifest), R"("tag":"v")", R"("tag":"sha256__)" + hex + '"'), "no_tag"},
             {replaced(event(manifest), "https://x.jfrog.example/artifactory", ""), "no_registry_host"},
         });
  expect({.format = RegistryFormat::jfrog, .docker_access = DockerAccess::subdomain},
         {{event(manifest), "local.x.jfrog.example/team/app:v@$D"},
          {replaced(event(manifest), "https://x.jfrog.example/artifactory", ""), "no_registry_host"}});
}

// registry-events 4.14
TEST(RegistryAdapters, ReadNexus) {
  const auto event = [](std::string_view action, std::string_view format = "docker") {
    return fmt::format(R"({{"action":"{}","repositoryName":"hosted","component":{{"format":"{}","name":"team/app",
      "version":"v"}}}})",
                       action, format);
  };
  const Headers component = {{"X-Nexus-Webhook-Id", "rm:repository:component"}};
  const Headers asset = {{"X-Nexus-Webhook-Id", "rm:repository:asset"}};
  expect({.format = RegistryFormat::nexus, .registry_host = "nexus.example"},
         {{event("CREATED"), "nexus.example/team/app:v", component},
          {event("UPDATED"), "nexus.example/team/app:v", component},
          {event("DELETED"), "action_not_push", component},
          {event("PURGED"), "action_not_push", component},
          {event("CREATED", "maven2"), "not_container", component},
          {event("CREATED"), "event_not_push", asset}});
  const auto created = Row{event("CREATED"), "", component};
  const auto placed = [&](const std::string& key, const std::string& place) {
    return outcome({.format = RegistryFormat::nexus, .repositories = {{key, place}}}, created);
  };
  EXPECT_EQ(placed("hosted", "nexus.example:8083"), "nexus.example:8083/team/app:v");
  EXPECT_EQ(placed("hosted", "nexus.example/docker"), "nexus.example/docker/team/app:v");
  EXPECT_EQ(placed("other", "nexus.example"), "no_registry_host");
}

// registry-events 4.15
TEST(RegistryAdapters, ReadZot) {
  const std::string data = R"({"name":"team/app","reference":"v","digest":"$D",
    "mediaType":"application/vnd.oci.image.manifest.v1+json","manifest":"{}"})";
  const auto type = [](std::string_view name) { return Headers{{"Ce-Type", fmt::format("zotregistry.{}", name)}}; };
  std::vector<Row> rows = {
      {data, "zot.example/team/app:v@$D", type("image.updated")},
      {replaced(data, R"("reference":"v")", R"("reference":"$D")"), "no_tag", type("image.updated")},
      {replaced(data, "image.manifest", "empty"), "not_manifest", type("image.updated")},
      {R"({"specversion":"1.0","type":"zotregistry.image.updated","data":)" + data + "}", "zot.example/team/app:v@$D"},
      {R"({"specversion":"1.0","type":"zotregistry.image.updated"})", "event_not_push"},
  };
  for (const auto* name : {"image.deleted", "image.lint_failed", "image.scanned", "repository.created"})
    rows.push_back({data, "event_not_push", type(name)});
  expect({.format = RegistryFormat::zot, .registry_host = "zot.example"}, rows);
}

// registry-events 1, 3.11: the native payload of a sender that cannot sign
TEST(RegistryAdapters, ReadTheNativePayload) {
  expect({.format = RegistryFormat::doco_oci},
         {
             {R"({"source":"oci","artifact":"r.example/app:v","digest":"$D"})", "r.example/app:v@$D"},
             {R"({"source":"oci","artifact":"r.example/app:v"})", "r.example/app:v"},
             {R"({"source":"oci","artifact":"r.example/app:v","digest":""})", "r.example/app:v"},
             {R"({"source":"oci","artifact":"r.example/app:v","digest":"sha256:0"})", "r.example/app:v"},
             {R"({"source":"oci","artifact":"r.example/A B"})", "invalid_reference"},
             {R"({"source":"oci"})", "invalid_reference"},
             {R"({"source":"git"})", "event_not_push"},
         });
}

}  // namespace
}  // namespace windlass
