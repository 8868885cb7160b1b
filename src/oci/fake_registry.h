// A registry for unit tests: a table of answers behind a FakeTransport.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "oci/content_store.h"
#include "oci/credentials.h"
#include "oci/registry.h"
#include "sys/crypto.h"
#include "sys/fake_http.h"
#include "sys/files.h"

namespace windlass {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

inline const std::string kType = "application/vnd.oci.image.manifest.v1+json";

struct FakeCredentials final : CredentialSource {
  Credential credential;
  Status check() override { return {}; }
  Result<Credential> find(const Reference&, const Deadline&) override { return credential; }
};

inline Digest digest_of(std::string_view bytes) { return Digest::of_sha256_hex(sha256_hex(bytes)); }

inline std::string descriptor(std::string_view bytes, const std::string& type = "t") {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", type, digest_of(bytes).str(), bytes.size());
}

inline std::string manifest_of(std::string_view layer) {
  return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","layers":[{}]}})", kType, descriptor(layer));
}

inline std::string header_of(const HttpRequest& request, std::string_view name) {
  return std::string(HttpResponse{.headers = request.headers}.header(name));
}

inline HttpResponse error(int status, const std::string& code) {
  return {.status = status, .body = fmt::format(R"({{"errors":[{{"code":"{}","message":"because"}}]}})", code)};
}

// At a private address.
inline auto refuse_private(HttpResponse answer) {
  return [answer](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.refuse_private_addresses) return fail(Kind::denied, "private address refused");
    return answer;
  };
}

// r.example is public; the answers are a table of "METHOD URL", each line used in turn, the last one again and again.
class HttpRegistryTest : public testing::Test {
 protected:
  HttpRegistryTest() {
    auto name = (fs::temp_directory_path() / "windlass-registry-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    store = std::move(*ContentStore::open({.folder = folder}));
    transport.answer = [this](const HttpRequest& request) -> Result<HttpResponse> {
      const auto row = answers.find(request.method + " " + request.url);
      if (row == answers.end()) return HttpResponse{.status = 404};
      auto& list = row->second;
      auto answer = list.front();
      if (list.size() > 1) list.erase(list.begin());
      return answer(request);
    };
    make();
  }
  ~HttpRegistryTest() override { fs::remove_all(folder); }

  using Answer = std::function<Result<HttpResponse>(const HttpRequest&)>;
  void on(const std::string& asked, Answer answer) { answers[asked].push_back(std::move(answer)); }
  void on(const std::string& asked, HttpResponse response) {
    on(asked, [response](const HttpRequest&) { return response; });
  }
  void make(std::vector<std::string> insecure = {}) {
    registry = Registry::make({.insecure_registries = std::move(insecure), .backoff_base = 1ms, .backoff_max = 2ms},
                              transport, credentials, *store, clock, Log(Log::Options{.level = LogLevel::critical}));
  }
  std::string resolve(const std::string& reference = "r.example/app:1") {
    const auto digest = registry->tag_digest(*Reference::parse(reference), Deadline::in(5s));
    if (!digest) return fmt::format("{}: {}", to_string(digest.error().kind), digest.error().message);
    return *digest ? (*digest)->str() : "absent";
  }
  std::string fetch(const Digest& digest) {
    const auto artifact = registry->fetch(*Reference::parse("r.example/app:1"), digest, Deadline::in(5s));
    if (!artifact) return fmt::format("{}: {}", to_string(artifact.error().kind), artifact.error().message);
    return *read_file(artifact->layers.at(0).file, 1 << 20);
  }
  // An artifact of one layer at r.example/app.
  Digest serve(const std::string& layer) {
    const auto manifest = manifest_of(layer);
    on("GET " + kManifests + digest_of(manifest).str(),
       HttpResponse{.status = 200, .headers = {{"Content-Type", kType}}, .body = manifest});
    return digest_of(manifest);
  }
  std::string blob_url(const std::string& layer) const {
    return "https://r.example/v2/app/blobs/" + digest_of(layer).str();
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> list;
    for (const auto& request : transport.asked) list.push_back(request.method + " " + request.url);
    return list;
  }

  const std::string kManifests = "https://r.example/v2/app/manifests/";
  const std::string kTag = kManifests + "1";
  const std::string kDigest = "sha256:" + std::string(64, 'd');
  const HttpResponse kFound{.status = 200, .headers = {{"Docker-Content-Digest", kDigest}}};

  FakeClock clock;
  fs::path folder;
  std::map<std::string, std::vector<Answer>> answers;
  FakeTransport transport;
  FakeCredentials credentials;
  std::unique_ptr<ContentStore> store;
  std::unique_ptr<Registry> registry;
};

inline HttpResponse challenge(const std::string& value) {
  auto response = error(401, "UNAUTHORIZED");
  response.headers.push_back({"WWW-Authenticate", value});
  return response;
}

}  // namespace windlass
