#include "app/host_path.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "docker/idle_engine.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

const std::string kId(64, 'c');
const std::string kMountinfo = fmt::format(
    "22 1 0:20 / /proc rw - proc proc rw\n"
    "31 22 8:1 /var/lib/docker/containers/{}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n",
    kId);

// An engine that knows one container.
struct OneContainer final : IdleEngine {
  ContainerDetail self{.id = kId, .mounts = {{.source = "/srv/windlass", .destination = "/data", .writable = true}}};
  Result<ContainerDetail> inspect(const std::string& id, const Deadline&) override {
    if (id == self.id) return self;
    return fail(Kind::not_found, "no such container");
  }
};

class HostPathTest : public ::testing::Test {
 protected:
  Result<std::string> find(const std::string& configured = "", const std::string& mountinfo = kMountinfo) {
    return host_path_of("/data", configured, mountinfo, engine, Deadline::in(std::chrono::seconds(1)));
  }
  OneContainer engine;
};

TEST_F(HostPathTest, IsTheSourceOfTheOwnMount) {  // deploy/P3
  EXPECT_EQ(*find(), "/srv/windlass");
}

TEST_F(HostPathTest, IsTheSameOutsideAContainer) {
  EXPECT_EQ(*find("", "22 1 0:20 / /proc rw - proc proc rw\n"), "/data");
}

TEST_F(HostPathTest, IsWhatTheSettingSays) {  // deploy/P2
  EXPECT_EQ(*find("/elsewhere"), "/elsewhere");
}

TEST_F(HostPathTest, MustBeAWritableMount) {
  engine.self.mounts[0].writable = false;
  EXPECT_EQ(find().error().message, "the mount at DATA_MOUNT_PATH /data is read-only");
  engine.self.mounts.clear();
  EXPECT_EQ(find().error().message,
            "DATA_MOUNT_PATH /data is not a mount of this container (cccccccccccc): mount a host folder there, or set "
            "DATA_HOST_PATH");
}

TEST(LinkHostPath, LinksOnceAndRefusesForeignEntries) {  // deploy/P5
  const auto folder = std::filesystem::temp_directory_path() / ("windlass-" + new_uuid_v7());
  std::filesystem::create_directories(folder / "data");
  const auto data = (folder / "data").string(), host = (folder / "srv/windlass").string();
  EXPECT_TRUE(link_host_path(data, data));
  EXPECT_TRUE(link_host_path(host, data));
  EXPECT_TRUE(link_host_path(host, data)) << "the second start finds its own link";
  std::filesystem::create_directories(folder / "other");
  const auto refused = link_host_path((folder / "other").string(), data);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::conflict);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace windlass
