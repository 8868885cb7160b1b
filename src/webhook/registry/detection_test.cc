#include "webhook/registry/detection.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using Headers = std::vector<HttpHeader>;

// "native", "unknown" or the format.
std::string sender_of(const Headers& headers, const std::string& body, const std::string& method = "POST") {
  const ServerRequest request{.method = method, .path = "/v1/webhook", .headers = headers, .body = body};
  const auto parsed = parse_json(body);
  const auto detected = detect_sender(request, parsed ? std::optional(*parsed) : std::nullopt);
  if (detected.kind == Detected::Kind::native) return "native";
  return detected.kind == Detected::Kind::registry ? std::string(to_string(detected.format)) : "unknown";
}

// registry-events 3.3, 1 to 9: headers, in this order
TEST(Detection, GoesByHeadersFirst) {
  const std::string harbor = R"({"type":"PUSH_ARTIFACT","event_data":{}})";
  const std::pair<Headers, std::string_view> rows[] = {
      {{{"X-Doco-OCI-Signature-256", "sha256=0"}}, "native"},
      {{{"X-Doco-OCI-Signature-256", ""}}, "harbor-default"},
      {{{"X-Doco-OCI-Signature-256", "0"}, {"X-Hub-Signature-256", ""}}, "native"},
      {{{"X-Doco-OCI-Signature-256", "0"}, {"X-Nexus-Webhook-Id", "x"}}, "native"},
      {{{"X-Doco-OCI-Signature-256", "0"}, {"X-Hub-Signature-256", "0"}, {"X-GitHub-Event", "package"}},
       "github-package"},
      {{{"X-Gitea-Event", "package"}}, "gitea-package"},
      {{{"X-Gitea-Event-Type", "package"}, {"X-Gitea-Event", ""}, {"X-GitHub-Event", ""}}, "gitea-package"},
      {{{"X-Forgejo-Event", "package"}}, "gitea-package"},
      {{{"X-Forgejo-Event-Type", "package"}, {"X-GitHub-Event", "package"}}, "gitea-package"},
      {{{"X-Gitea-Event", "push"}, {"X-GitHub-Event", "package"}}, "native"},
      {{{"X-Gitea-Event", ""}}, "native"},
      {{{"X-Gogs-Event", "push"}, {"X-GitHub-Event", "package"}}, "native"},
      {{{"x-github-event", "package"}}, "github-package"},
      {{{"X-GitHub-Event", "registry_package"}}, "github-package"},
      {{{"X-GitHub-Event", "ping"}}, "github-package"},
      {{{"X-GitHub-Event", "push"}}, "native"},
      {{{"X-Gitlab-Event", "Push Hook"}, {"X-Nexus-Webhook-Id", "x"}}, "native"},
      {{{"X-Nexus-Webhook-Id", "rm:repository:asset"}, {"X-JFrog-Event-Auth", "x"}}, "nexus"},
      {{{"X-JFrog-Event-Auth", "x"}, {"aeg-event-type", "x"}}, "jfrog"},
      {{{"aeg-event-type", "Notification"}, {"Ce-Type", "zotregistry.image.updated"}}, "acr-eventgrid"},
      {{}, "harbor-default"},
  };
  for (const auto& [headers, sender] : rows)
    EXPECT_EQ(sender_of(headers, harbor), sender) << (headers.empty() ? "" : headers[0].name + headers[0].value);
  EXPECT_EQ(sender_of({{"WebHook-Request-Origin", "eventgrid.azure.net"}}, "", "OPTIONS"), "acr-eventgrid");
  EXPECT_EQ(sender_of({}, "", "OPTIONS"), "unknown");
  EXPECT_EQ(sender_of({{"WebHook-Request-Origin", "eventgrid.azure.net"}}, harbor), "harbor-default");
}

// registry-events 3.3, 10 and 11: media types without their parameters
TEST(Detection, GoesByCloudEventsAndMediaTypesNext) {
  const std::string structured = "application/cloudevents+json; charset=utf-8";
  const std::string batch = "Application/CloudEvents-Batch+JSON";
  const std::tuple<Headers, std::string, std::string_view> rows[] = {
      {{{"Ce-Type", "zotregistry.image.updated"}}, "{}", "zot"},
      {{{"Ce-Type", "harbor.artifact.pushed"}}, "{}", "harbor-cloudevents"},
      {{{"Ce-Type", "com.example.other"}}, R"({"events":[]})", "unknown"},
      {{{"Content-Type", structured}}, R"({"type":"harbor.artifact.pushed"})", "harbor-cloudevents"},
      {{{"Content-Type", structured}}, R"({"type":"zotregistry.image.updated"})", "zot"},
      {{{"Content-Type", structured}}, R"({"type":"Microsoft.ContainerRegistry.ImagePushed"})", "acr-eventgrid"},
      {{{"Content-Type", structured}}, R"({"type":"com.example.other"})", "unknown"},
      {{{"Content-Type", structured}}, "no json", "unknown"},
      {{{"Content-Type", batch}}, R"([{"type":"Microsoft.ContainerRegistry.ImagePushed"}])", "acr-eventgrid"},
      {{}, R"({"specversion":"1.0","type":"harbor.scan.completed"})", "harbor-cloudevents"},
      {{}, R"({"specversion":1,"type":"harbor.scan.completed","events":[]})", "distribution"},
      {{{"Content-Type", "application/vnd.docker.distribution.events.v1+json"}}, "{}", "distribution"},
      {{{"Content-Type", "application/vnd.docker.distribution.events.v2+json;x=y"}}, "[]", "distribution"},
      {{{"Content-Type", "application/vnd.docker.distribution.events.v17+json"}},
       R"({"docker_url":"x"})",
       "distribution"},
      {{{"Content-Type", "application/vnd.docker.distribution.other+json"}}, "{}", "unknown"},
  };
  for (const auto& [headers, body, sender] : rows)
    EXPECT_EQ(sender_of(headers, body), sender) << body << (headers.empty() ? "" : headers[0].value);
}

// registry-events 3.3, 12 to 14
TEST(Detection, GoesByTheBodyLast) {
  const std::pair<std::string, std::string_view> rows[] = {
      {R"({"events":[]})", "distribution"},
      {R"({"events":{}})", "unknown"},
      {R"({"detail-type":"ECR Image Action","source":"aws.ecr"})", "ecr-eventbridge"},
      {R"({"message":{},"subscription":"s"})", "gar-pubsub"},
      {R"({"message":"m","subscription":"s"})", "unknown"},
      {R"({"type":"PULL_ARTIFACT","event_data":{}})", "harbor-default"},
      {R"({"push_data":{},"repository":{"repo_name":"a/b"}})", "dockerhub"},
      {R"({"docker_url":"quay.io/a/b"})", "quay"},
      {R"({"domain":"docker","event_type":"pushed","data":{}})", "jfrog"},
      {R"({"action":"INSERT","tag":"h/p/r/i:t"})", "gar-unwrapped"},
      {R"({"action":"DELETE","digest":"h/p/r/i@sha256:0"})", "gar-unwrapped"},
      {R"({"action":"INSERT"})", "unknown"},
      {R"({"action":"push","target":{}})", "acr"},
      {R"({"action":"ping"})", "acr"},
      {R"({"action":"push"})", "unknown"},
      {R"({"source":"oci","artifact":"r/a:x"})", "doco-oci"},
      {R"({"source":"git"})", "unknown"},
      {R"([{"eventType":"Microsoft.ContainerRegistry.ImagePushed"}])", "acr-eventgrid"},
      {R"([{"type":"x"}])", "unknown"},
      {"[]", "unknown"},
      {"{}", "unknown"},
      {"7", "unknown"},
      {"no json", "unknown"},
      {"", "unknown"},
  };
  for (const auto& [body, sender] : rows) EXPECT_EQ(sender_of({}, body), sender) << body;
}

}  // namespace
}  // namespace windlass
