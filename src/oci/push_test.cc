#include "oci/push.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"
#include "oci/registry_access.h"

namespace windlass {
namespace {

// r.example/app, as in the other tests of the registry; bodies of uploads are read when they are asked for.
class PusherTest : public HttpRegistryTest {
 protected:
  std::string push(const std::string& bytes) {
    const auto outcome = pusher.push_blob(
        reference, blob_of(bytes), [&](auto sent) { progress.push_back(sent); }, Deadline::in(5s));
    if (!outcome) return fmt::format("{}: {}", to_string(outcome.error().kind), outcome.error().message);
    return *outcome == Pusher::Outcome::uploaded ? "uploaded" : "was there";
  }
  std::string put_manifest(const std::string& name) {
    const auto digest = pusher.push_manifest(reference, name, kType, kManifest, Deadline::in(5s));
    return digest ? digest->str() : fmt::format("{}: {}", to_string(digest.error().kind), digest.error().message);
  }
  static HttpResponse begun(const std::string& location) {
    return {.status = 202, .headers = {{"Location", location}}};
  }
  // Reads the body as libcurl would, then says `status`.
  Answer takes_it(int status = 201) {
    return [this, status](const HttpRequest& request) {
      received.clear();
      char piece[3];
      while (received.size() < request.upload.size_bytes) {
        const auto read = request.upload.read(received.size(), piece, sizeof piece);
        received.append(piece, *read);
      }
      return Result<HttpResponse>(HttpResponse{.status = status});
    };
  }

  const std::string kBlob = "hello";
  const std::string kBegin = "POST https://r.example/v2/app/blobs/uploads/";
  const std::string kManifest = manifest_of("hello");
  const std::string kPutDigest = "digest=" + digest_of("hello").str();
  RegistryOptions options{.backoff_base = 1ms, .backoff_max = 2ms};
  RegistryAccess access{options, transport, credentials, clock, Log(Log::Options{.level = LogLevel::critical})};
  Pusher pusher{access, options};
  Reference reference = *Reference::parse("r.example/app:1");
  std::vector<std::uint64_t> progress;
  std::string received;
};

TEST_F(PusherTest, UploadsABlobToWhereTheRegistrySays) {
  const std::pair<const char*, std::string> rows[] = {
      {"/v2/app/blobs/uploads/1", "https://r.example/v2/app/blobs/uploads/1?" + kPutDigest},
      {"https://r.example/v2/u/1?_state=a%2Fb", "https://r.example/v2/u/1?_state=a%2Fb&" + kPutDigest},
      {"https://storage.example/u?sig=1", "https://storage.example/u?sig=1&" + kPutDigest},
  };
  for (const auto& [location, put] : rows) {
    SCOPED_TRACE(location);
    answers.clear();
    transport.asked.clear();
    progress.clear();
    on(kBegin, begun(location));
    on("PUT " + put, takes_it());
    EXPECT_EQ(push(kBlob), "uploaded");
    EXPECT_EQ(received, kBlob);
    EXPECT_EQ(progress, (std::vector<std::uint64_t>{3, 5}));
    EXPECT_EQ(asked(), (std::vector<std::string>{"HEAD " + blob_url(kBlob), kBegin, "PUT " + put}));
    EXPECT_EQ(header_of(transport.asked[2], "Content-Type"), "application/octet-stream");
  }
}

// oci 3.3, reliability/T7
TEST_F(PusherTest, UploadsToAPrivateAddressOnlyIfTheRegistryIsAtOne) {
  for (const auto peer : {AddressScope::open, AddressScope::rfc1918}) {
    answers.clear();
    auto begins = begun("https://intern.example/u");
    begins.peer = peer;
    on(kBegin, begins);
    on("PUT https://intern.example/u?" + kPutDigest, refuse_private({.status = 201}));
    EXPECT_EQ(push(kBlob), peer == AddressScope::open ? "denied: private address refused" : "uploaded");
  }
}

TEST_F(PusherTest, UploadsNothingThatIsThere) {
  on("HEAD " + blob_url(kBlob), HttpResponse{.status = 200});
  EXPECT_EQ(push(kBlob), "was there");
  EXPECT_EQ(transport.asked.size(), 1u);
}

TEST_F(PusherTest, AsksForATokenThatAllowsToPush) {
  const auto token_url = std::string("https://auth.example/token?scope=repository%3Aapp%3Apull%2Cpush");
  on("HEAD " + blob_url(kBlob), challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + blob_url(kBlob), HttpResponse{.status = 404});
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T","expires_in":300})"});
  on(kBegin, begun("https://storage.example/u"));
  on("PUT https://storage.example/u?" + kPutDigest, takes_it());
  on("PUT " + kTag, HttpResponse{.status = 201});
  EXPECT_EQ(push(kBlob), "uploaded");
  EXPECT_EQ(put_manifest("1"), digest_of(kManifest).str());
  ASSERT_EQ(transport.asked.size(), 6u);
  EXPECT_EQ(header_of(transport.asked[3], "Authorization"), "Bearer T");
  EXPECT_EQ(header_of(transport.asked[4], "Authorization"), "") << "another host must not see the token";
  EXPECT_EQ(header_of(transport.asked[5], "Authorization"), "Bearer T");
}

TEST_F(PusherTest, BeginsAnewWhenAnUploadIsCut) {
  on(kBegin, begun("/u/1"));
  on(kBegin, begun("/u/2"));
  on("PUT https://r.example/u/1?" + kPutDigest, [](const HttpRequest&) -> Result<HttpResponse> {
    return fail(Kind::unavailable, "PUT https://r.example/u/1: connection reset");
  });
  on("PUT https://r.example/u/2?" + kPutDigest, takes_it());
  EXPECT_EQ(push(kBlob), "uploaded");
}

TEST_F(PusherTest, GivesUpAfterItsAttempts) {
  on(kBegin, begun("/u"));
  on("PUT https://r.example/u?" + kPutDigest, error(503, "UNAVAILABLE"));
  EXPECT_EQ(push(kBlob), "unavailable: PUT https://r.example/u: 503 UNAVAILABLE: because");
  EXPECT_EQ(transport.asked.size(), 3u * 5);
}

TEST_F(PusherTest, SaysWhatARegistryDoesNotAllow) {
  on(kBegin, error(403, "DENIED"));
  EXPECT_EQ(push(kBlob),
            "denied: POST https://r.example/v2/app/blobs/uploads/: 403 DENIED: because; no credentials for r.example "
            "are known: docker login r.example, or DOCKER_AUTH_CONFIG");
}

// reliability/P20: an upload is sent neither by plain HTTP nor as a GET because somebody says so
TEST_F(PusherTest, NeverFollowsAnUploadToAnUnsafePlace) {
  on(kBegin, begun("http://r.example/u"));
  EXPECT_EQ(push(kBlob), "denied: PUT http://r.example/u: plain HTTP is not spoken to a registry that has HTTPS");
  answers.clear();
  on(kBegin, begun("/u"));
  on("PUT https://r.example/u?" + kPutDigest,
     HttpResponse{.status = 303, .headers = {{"Location", "https://r.example/elsewhere"}}});
  EXPECT_EQ(push(kBlob), "invalid: PUT https://r.example/u: 303");
  answers.clear();
  on(kBegin, HttpResponse{.status = 202});
  EXPECT_EQ(push(kBlob), "invalid: POST r.example/v2/app/blobs/uploads/: answer without a Location");
}

TEST_F(PusherTest, SendsTheBodyAgainWhereARedirectKeepsTheMethod) {
  on(kBegin, begun("/u"));
  on("PUT https://r.example/u?" + kPutDigest,
     HttpResponse{.status = 307, .headers = {{"Location", "https://storage.example/u"}}});
  on("PUT https://storage.example/u", takes_it());
  EXPECT_EQ(push(kBlob), "uploaded");
  EXPECT_EQ(received, kBlob);
}

TEST_F(PusherTest, PutsAManifestAndInsistsOnItsDigest) {
  on("PUT " + kTag, HttpResponse{.status = 201, .headers = {{"Docker-Content-Digest", digest_of(kManifest).str()}}});
  EXPECT_EQ(put_manifest("1"), digest_of(kManifest).str());
  EXPECT_EQ(transport.asked[0].body, kManifest);
  EXPECT_EQ(header_of(transport.asked[0], "Content-Type"), kType);
  on("PUT " + kManifests + "2", HttpResponse{.status = 201, .headers = {{"Docker-Content-Digest", kDigest}}});
  EXPECT_EQ(put_manifest("2"),
            fmt::format("invalid: PUT r.example/v2/app/manifests/2: registry stored {} instead of {}", kDigest,
                        digest_of(kManifest).str()));
  on("PUT " + kManifests + "3", error(400, "MANIFEST_INVALID"));
  EXPECT_EQ(put_manifest("3"), "invalid: PUT https://r.example/v2/app/manifests/3: 400 MANIFEST_INVALID: because");
}

TEST_F(PusherTest, GoesToTheRegistryItselfAlthoughMirrorsTellTags) {
  options.rules = {
      {.prefix = "r.example", .location = "real.example/x", .mirrors = {"m.example"}, .mirror_tags = true}};
  RegistryAccess moved(options, transport, credentials, clock, Log(Log::Options{.level = LogLevel::critical}));
  Pusher there(moved, options);
  on("POST https://real.example/v2/x/app/blobs/uploads/", begun("/u"));
  on("PUT https://real.example/u?" + kPutDigest, takes_it());
  on("PUT https://real.example/v2/x/app/manifests/1", HttpResponse{.status = 201});
  EXPECT_TRUE(there.push_blob(
      reference, blob_of(kBlob), [](auto) {}, Deadline::in(5s)));
  EXPECT_TRUE(there.push_manifest(reference, "1", kType, kManifest, Deadline::in(5s)));
  for (const auto& asked : transport.asked) EXPECT_TRUE(asked.url.starts_with("https://real.example/")) << asked.url;
}

}  // namespace
}  // namespace windlass
