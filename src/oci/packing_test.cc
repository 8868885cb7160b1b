// A folder on disk, as a layer, and back through our own unpacker.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "oci/packed_layer.h"
#include "oci/packing_list.h"
#include "oci/push_manifest.h"
#include "sys/json.h"
#include "sys/like_everybody_else.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Packing : public testing::Test {
 protected:
  Packing() {
    auto name = (fs::temp_directory_path() / "windlass-packing-XXXXXX").string();
    place = ::mkdtemp(name.data());
    folder = place / "in";
    fs::create_directory(folder);
  }
  ~Packing() override { fs::remove_all(place); }

  void file(const std::string& path, const std::string& content = "x", unsigned mode = 0644) {
    fs::create_directories((folder / path).parent_path());
    std::ofstream(folder / path) << content;
    ::chmod((folder / path).c_str(), mode);
  }
  void link(const std::string& path, const std::string& target) { fs::create_symlink(target, folder / path); }

  std::string faults() {
    const auto list = list_folder(folder, limits);
    return list ? "none" : list.error().message;
  }
  // A tree with everything in it that an artifact may hold.
  void sample() {
    file(".doco-cd.yaml", "name: hello\n");
    file("compose.yaml", "services: {web: {image: nginx}}\n", 0600);
    file("bin/run", "#!/bin/sh\n", 0700);
    file("www/index.html", std::string(3000, 'w'));
    file("www.txt", "");
    fs::create_directories(folder / "empty/folder");
    link("current", "www/index.html");
  }
  PackedLayer pack(LayerCompression compression = LayerCompression::gzip) {
    auto list = list_folder(folder, limits);
    EXPECT_TRUE(list) << list.error().message;
    auto layer = pack_layer(folder, *list, {.compression = compression, .limits = limits, .temporary_folder = place});
    EXPECT_TRUE(layer) << layer.error().message;
    return std::move(*layer);
  }
  // What the unpacker makes of it: "path mode size" or "path -> target".
  std::vector<std::string> unpacked(const PackedLayer& layer) {
    const StoredLayer stored{
        .digest = layer.digest, .media_type = layer.media_type, .size_bytes = layer.size_bytes, .file = place / "blob"};
    fs::copy_file(fmt::format("/proc/self/fd/{}", layer.file.get()), stored.file, fs::copy_options::overwrite_existing);
    const auto tree = unpack({stored}, place / "out", limits, Secret("key"), Deadline::in(10s));
    if (!tree) return {tree.error().message};
    std::vector<std::string> rows;
    for (const auto& entry : tree->entries)
      rows.push_back(entry.type == EntryType::link
                         ? fmt::format("{} -> {}", entry.path, entry.content)
                         : fmt::format("{} {:o} {}", entry.path, entry.mode, entry.size_bytes));
    fs::remove_all(place / "out");
    return rows;
  }

  fs::path place, folder;
  UnpackLimits limits;
};

TEST_F(Packing, ComesBackThroughTheUnpacker) {
  sample();
  for (const auto compression : {LayerCompression::gzip, LayerCompression::zstd, LayerCompression::none})
    EXPECT_EQ(unpacked(pack(compression)),
              (std::vector<std::string>{".doco-cd.yaml 644 12", "bin 755 0", "bin/run 755 10", "compose.yaml 644 32",
                                        "current -> www/index.html", "empty 755 0", "empty/folder 755 0", "www 755 0",
                                        "www.txt 644 0", "www/index.html 644 3000"}));
}

// Pinned: another digest here gives everybody's artifacts another digest (docs/decisions.md).
TEST_F(Packing, GivesOneDigestOnEveryMachine) {
  sample();
  const auto layer = pack();
  EXPECT_EQ(layer.diff_id.str(), "sha256:5118dd6d94d735dcbc839134aa5f39f56a3f958ea796c58d88f942a8621b1ed3");
  EXPECT_EQ(layer.digest.str(), "sha256:b3068a11c7e52bd7bf33a73bf3c765b9b52eb546f4e3237c2bcdda5baea60da4");
  EXPECT_EQ(pack(LayerCompression::none).digest, layer.diff_id);
}

TEST_F(Packing, DoesNotLookAtTimesOwnersOrderOrUmask) {
  sample();
  const auto before = pack().digest;
  fs::remove_all(folder);
  const auto old_mask = ::umask(0077);
  file("www.txt", "", 0444);
  link("current", "www/index.html");
  file("www/index.html", std::string(3000, 'w'), 0640);
  fs::create_directories(folder / "empty/folder");
  file("bin/run", "#!/bin/sh\n", 0755);
  file("compose.yaml", "services: {web: {image: nginx}}\n", 0666);
  file(".doco-cd.yaml", "name: hello\n");
  ::umask(old_mask);
  ::chmod((folder / "bin").c_str(), 0777);
  const timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1'000'000'000}};
  ::utimensat(AT_FDCWD, (folder / "www.txt").c_str(), times, 0);
  EXPECT_EQ(pack().digest, before);
  fs::remove(folder / "www.txt");  // only root could write over it
  file("www.txt", "y");
  EXPECT_NE(pack().digest, before);
}

TEST_F(Packing, LeavesGitOut) {
  sample();
  const auto before = pack().digest;
  file(".git/config");
  file("www/.git", "gitdir: ../x");
  EXPECT_EQ(pack().digest, before);
  const auto list = list_folder(folder, limits);
  ASSERT_TRUE(list);
  auto notes = list->notes;
  std::sort(notes.begin(), notes.end());
  EXPECT_EQ(notes, (std::vector<std::string>{".git is left out", "www/.git is left out"}));
}

// oci 8: what the unpacker refuses is refused here, by the same words.
TEST_F(Packing, RefusesWhatTheUnpackerWouldRefuse) {
  limits.file_bytes_max = 10;
  file("a", "x");
  file("big", "12345678901");
  file("back\\slash");
  file("line\nbreak");
  file(".wh.gone");
  link("absolute", "/etc/passwd");
  link("up", "../secret");
  link("deep", "a/../../b");
  link("round", "round");
  ::mkfifo((folder / "pipe").c_str(), 0600);
  sockaddr_un address{.sun_family = AF_UNIX};
  (folder / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(socket);

  const auto text = faults();
  auto lines = split(text, '\n');
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (std::vector<std::string_view>{
                       ".wh.gone: a name that begins with .wh. says in a layer what is to be deleted",
                       "absolute: path traversal detected: link target is absolute",
                       "back\\slash: backslash in the name",
                       "big: file of 11 bytes, limit 10",
                       "deep: path traversal detected: link target 'a/../../b' leaves the artifact",
                       "line\\x0abreak: control byte in the name",
                       "pipe: pipes are not allowed",
                       "round: too many links to follow",
                       "socket: sockets are not allowed",
                       "up: path traversal detected: link target '../secret' leaves the artifact",
                   }));
}

TEST_F(Packing, RefusesAFolderOverItsBudget) {
  EXPECT_EQ(faults(), "the folder: holds nothing");
  file("a", "12345");
  file("b", "12345");
  file("c", "1");
  limits.bytes_max = 10;
  EXPECT_EQ(faults(), "the folder: files of 11 bytes together, limit 10");
  limits = {.entries_max = 2};
  EXPECT_EQ(faults(), "the folder: more than 2 entries");
  limits = {.depth_max = 2};
  file("d/e/f/g");
  EXPECT_EQ(faults(), "d/e/f: name is deeper than 2 folders");
}

TEST_F(Packing, SaysWhatCannotBeRead) {
  file("closed/a");
  ::chmod((folder / "closed").c_str(), 0);
  {
    const LikeEverybodyElse reader;
    EXPECT_EQ(faults(), "closed: opening: permission denied");
  }
  ::chmod((folder / "closed").c_str(), 0700);
}

TEST_F(Packing, RefusesABombAndSaysTheWayOut) {
  limits.ratio_free_bytes = 1 << 20;
  file("zeros", std::string(4 << 20, '\0'));
  const auto list = list_folder(folder, limits);
  ASSERT_TRUE(list);
  const auto pack_by = [&](LayerCompression compression) {
    const auto layer =
        pack_layer(folder, *list, {.compression = compression, .limits = limits, .temporary_folder = place});
    return layer ? "packed" : layer.error().message;
  };
  EXPECT_EQ(pack_by(LayerCompression::gzip),
            "zeros: expands to more than 200 times its size, which is refused as a bomb: pack without compression");
  EXPECT_EQ(pack_by(LayerCompression::none), "packed");
}

TEST_F(Packing, NoticesAFileThatChangesMeanwhile) {
  file("log", "12345");
  const auto list = list_folder(folder, limits);
  ASSERT_TRUE(list);
  for (const auto* content : {"1234", "123456"}) {
    file("log", content);
    const auto layer = pack_layer(folder, *list, {.limits = limits, .temporary_folder = place});
    ASSERT_FALSE(layer);
    EXPECT_EQ(layer.error().message, "log: was changed while the folder was packed: push it again");
  }
}

TEST_F(Packing, SaysHowFarItIs) {
  file("a", std::string(200'000, 'a'));
  file("b", "b");
  const auto list = list_folder(folder, limits);
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(pack_layer(folder, *list, {.limits = limits, .temporary_folder = place, .on_progress = [&](auto bytes) {
                                           seen.push_back(bytes);
                                         }}));
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{128 << 10, 200'000, 200'001}));
}

TEST_F(Packing, HasAManifestThatEveryClientReads) {
  file("a", "x");
  const auto layer = pack();
  const auto config = *parse_json(push_config(layer));
  EXPECT_EQ(json::serialize(config.at_pointer("/rootfs/diff_ids/0")), "\"" + layer.diff_id.str() + "\"");
  const auto text = push_manifest(layer, {{"org.opencontainers.image.revision", "abc"}});
  const auto manifest = *parse_json(text);
  EXPECT_EQ(manifest.at_pointer("/artifactType"), "application/vnd.windlass.deployment.v1");
  EXPECT_EQ(manifest.at_pointer("/config/mediaType"), "application/vnd.oci.image.config.v1+json");
  EXPECT_EQ(manifest.at_pointer("/layers/0/digest"), json::string(layer.digest.str()));
  EXPECT_EQ(manifest.at_pointer("/layers/0/annotations/io.deis.oras.content.digest"),
            json::string(layer.diff_id.str()));
  EXPECT_EQ(manifest.at_pointer("/annotations/org.opencontainers.image.revision"), "abc");
  EXPECT_EQ(text.find("created"), text.npos);
}

}  // namespace
}  // namespace windlass
