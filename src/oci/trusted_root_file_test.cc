#include "oci/trusted_root_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace windlass {
namespace {

namespace fs = std::filesystem;

class TrustedRootFileTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/windlass-root-file-XXXXXX";
    folder = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(folder); }
  // As tools replace it: another file takes the name.
  void write(const std::string& text) {
    std::ofstream(folder / "new") << text;
    fs::rename(folder / "new", folder / "root.json");
  }
  static std::string root(const std::string& extra = "") {
    return R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1")" + extra + "}";
  }
  fs::path folder;
};

TEST_F(TrustedRootFileTest, IsMissingWithoutAPath) {
  const auto current = TrustedRootFile({}).current();
  ASSERT_FALSE(current);
  EXPECT_EQ(current.error().kind, Kind::not_found);
  EXPECT_EQ(current.error().message, "no trusted root: OCI_TRUSTED_ROOT_FILE is not set");
}

TEST_F(TrustedRootFileTest, IsReadOnceUntilItChanges) {  // oci 11.6
  write(root());
  TrustedRootFile file(folder / "root.json");
  const auto first = file.current();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(*file.current(), *first) << "the same object";
  write(root(R"(,"tlogs":[])"));
  const auto second = file.current();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE((*second)->fingerprint(), (*first)->fingerprint());
}

TEST_F(TrustedRootFileTest, NeverFallsBackToAnOlderOne) {  // reliability/P10
  write(root());
  TrustedRootFile file(folder / "root.json");
  ASSERT_TRUE(file.current());
  write("{");
  for (int i = 0; i < 2; ++i) {
    const auto broken = file.current();
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().kind, Kind::invalid);
  }
  fs::remove(folder / "root.json");
  EXPECT_EQ(file.current().error().kind, Kind::not_found);
  write(root());
  EXPECT_TRUE(file.current()) << "a fault is not remembered";
}

}  // namespace
}  // namespace windlass
