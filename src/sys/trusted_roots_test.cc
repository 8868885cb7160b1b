#include "sys/trusted_roots.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "sys/files.h"
#include "sys/test_certificate.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class TrustedRootsTest : public testing::Test {
 protected:
  TrustedRootsTest() {
    auto name = (fs::temp_directory_path() / "windlass-roots-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    for (const auto* each : {"system", "one", "two"}) fs::create_directory(folder / each);
  }
  ~TrustedRootsTest() override { fs::remove_all(folder); }

  std::string path(const char* name) const { return folder / name; }
  static std::string pem(const TestCertificate& certificate) { return *read_file(certificate.file(), 1 << 20); }
  void write(const char* name, const std::string& text) const { std::ofstream(path(name)) << text; }
  RootPlaces of_system() const { return {.file = path("system/bundle.crt"), .folders = path("system")}; }

  // Whose certificates are handed over because libcurl would not find them.
  static std::string more(const TrustedRoots& roots) {
    std::vector<std::string> names;
    for (const auto& root : roots.more) {
      std::array<char, 64> name{};
      ::X509_NAME_get_text_by_NID(::X509_get_subject_name(root.get()), NID_commonName, name.data(), name.size());
      names.emplace_back(name.data());
    }
    return join(names, " ");
  }

  const TestCertificate a{"a"}, b{"b"}, c{"c"};
  fs::path folder;
};

// oci 6: every file of SSL_CERT_DIR, as in programs written in Go
TEST_F(TrustedRootsTest, AreInFilesOfAnyName) {
  write("one/my-ca.crt", "some words\n" + pem(a) + pem(b));
  write("one/again.pem", pem(a));
  write("two/key.pem", *read_file(a.key_file(), 1 << 20));
  write("two/README", "no certificate");
  fs::create_symlink(c.file(), path("two/link.pem"));
  fs::create_symlink(path("nowhere"), path("two/broken.pem"));
  const auto roots = find_trusted_roots({.file = "", .folders = path("one") + "::" + path("two")}, of_system());
  EXPECT_EQ(more(roots), "a b c");
  EXPECT_EQ(roots.for_libcurl.file, "");
  EXPECT_EQ(roots.for_libcurl.folders, path("one") + "::" + path("two"));
  EXPECT_EQ(roots.complaints, std::vector<std::string>());
}

TEST_F(TrustedRootsTest, AreLeftToOpensslWhereTheirNamesAreHashed) {
  write("system/a.pem", pem(a));
  fs::create_symlink("a.pem", path("system/0123abcd.0"));
  write("system/89abcdef.1", pem(b) + pem(c));
  write("system/bundle.crt", pem(a) + pem(b));
  auto roots = find_trusted_roots({}, of_system());
  EXPECT_EQ(more(roots), "") << "a hashed name leads to the first certificate of its file";
  EXPECT_EQ(roots.for_libcurl.file, "");
  EXPECT_EQ(roots.for_libcurl.folders, path("system"));
  write("system/mounted.crt", pem(c));
  roots = find_trusted_roots({}, of_system());
  EXPECT_EQ(more(roots), "c");
}

TEST_F(TrustedRootsTest, AreNotReadTwiceWhereLibcurlReadsABundle) {
  write("system/bundle.crt", pem(a));
  write("system/mounted.crt", pem(a) + pem(b));
  const auto roots = find_trusted_roots({}, of_system());
  EXPECT_EQ(more(roots), "b");
  EXPECT_EQ(roots.for_libcurl.folders, "") << "nothing there has a hashed name";
}

// SSL_CERT_FILE takes the place of the system's bundle, SSL_CERT_DIR that of its folder.
TEST_F(TrustedRootsTest, OfTheSystemStayWhereNothingTakesTheirPlace) {
  write("system/bundle.crt", pem(a));
  write("one/b.crt", pem(b));
  auto outside = of_system();
  outside.folders = path("two");
  EXPECT_EQ(more(find_trusted_roots({.file = "", .folders = path("one")}, outside)), "b a");
  EXPECT_EQ(more(find_trusted_roots({.file = c.file(), .folders = path("one")}, outside)), "b");
  write("two/b.crt", pem(b) + pem(c));
  const auto roots = find_trusted_roots({.file = c.file(), .folders = ""}, outside);
  EXPECT_EQ(more(roots), "b");
  EXPECT_EQ(roots.for_libcurl.file, c.file());
}

TEST_F(TrustedRootsTest, SayWhatCouldNotBeRead) {
  write("one/a.crt", pem(a));
  write("one/damaged.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + pem(b) +
                               "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n");
  write("one/large.crt", std::string(4 << 20, ' ') + pem(c));
  const auto roots = find_trusted_roots({.file = "", .folders = path("one") + ":" + path("none")}, {});
  EXPECT_EQ(more(roots), "a b");
  EXPECT_EQ(roots.complaints,
            (std::vector<std::string>{"reading " + path("none") + ": no such file or directory",
                                      path("one/damaged.crt") + ": holds a certificate that cannot be read",
                                      path("one/large.crt") + ": passed over, trusted roots are over 4194304 bytes"}));
  EXPECT_TRUE(find_trusted_roots({}, {.file = "", .folders = path("none")}).complaints.empty());
}

}  // namespace
}  // namespace windlass
