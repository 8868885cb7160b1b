#include "sys/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "sys/like_everybody_else.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "windlass-files-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  fs::path folder_;
};

TEST_F(Files, NameAnErrnoInLowerCaseAndGiveItTheFittingKind) {
  const std::tuple<int, Kind, std::string_view> table[] = {
      {ENOENT, Kind::not_found, "writing x: no such file or directory"},
      {EACCES, Kind::denied, "writing x: permission denied"},
      {ENOSPC, Kind::unavailable, "writing x: no space left on device"},
      {EMFILE, Kind::unavailable, "writing x: too many open files"},
      {EROFS, Kind::unavailable, "writing x: read-only file system"},
      {EIO, Kind::internal, "writing x: input/output error"},
  };
  for (const auto& [code, kind, message] : table) {
    const Error error = system_error("writing x", code);
    EXPECT_EQ(error.message, message);
    EXPECT_EQ(error.kind, kind) << message;
  }
}

TEST_F(Files, AreReadWholeOrNotAtAll) {
  const fs::path file = folder_ / "a";
  ASSERT_TRUE(write_file(file, "12345"));
  EXPECT_EQ(read_file(file, 5).value(), "12345");

  const auto longer = read_file(file, 4);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, Kind::invalid);
  EXPECT_EQ(longer.error().message, file.string() + " is larger than 4 bytes");

  const auto absent = read_file(folder_ / "b", 5);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, Kind::not_found);
  EXPECT_EQ(absent.error().message, "reading " + (folder_ / "b").string() + ": no such file or directory");

  EXPECT_FALSE(read_file(folder_, 5)) << "a folder";
  EXPECT_FALSE(read_file("/proc/self/status", 10)) << "its size says 0, its content more";
}

TEST_F(Files, AreWrittenByRenameWithTheModeAsked) {
  const fs::path file = folder_ / "state";
  ASSERT_TRUE(write_file(file, "old"));
  EXPECT_EQ(mode_of(file), 0600u);
  const FileDescriptor reader = open_beneath(folder_, "state").value();

  ASSERT_TRUE(write_file(file, "new", 0644));
  EXPECT_EQ(mode_of(file), 0644u);
  char old[8] = {};
  EXPECT_EQ(::read(reader.get(), old, sizeof old), 3);
  EXPECT_STREQ(old, "old") << "who has it open goes on reading the old file";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "no temporary file is left";
}

TEST_F(Files, LeaveNothingBehindWhenTheyCannotBeWritten) {
  fs::create_directories(folder_ / "taken" / "x");
  const auto written = write_file(folder_ / "taken", "content");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, fmt::format("writing {} (7 bytes): is a directory", (folder_ / "taken").string()));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);

  const auto nowhere = write_file(folder_ / "absent" / "x", "content");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, Kind::not_found);
}

TEST_F(Files, AreWrittenPieceByPieceOrNotAtAll) {
  const fs::path file = folder_ / "state";
  const std::string_view pieces[] = {"one ", "two", "", "three"};
  const auto* piece = pieces;
  const auto next = [&]() -> Result<std::string_view> { return *piece++; };
  ASSERT_TRUE(write_pieces(file, next, 0640));
  EXPECT_EQ(read_file(file, 100).value(), "one two");
  EXPECT_EQ(mode_of(file), 0640u);

  int asked = 0;
  const auto failing = [&]() -> Result<std::string_view> {
    if (++asked > 1) return fail(Kind::invalid, "no more");
    return "half";
  };
  const auto half = write_pieces(file, failing);
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().message, "no more");
  EXPECT_EQ(read_file(file, 100).value(), "one two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "no temporary file is left";
}

TEST_F(Files, AreOpenedBeneathAFolderOnly) {  // reliability/T10
  const fs::path root = folder_ / "root";
  fs::create_directories(root / "sub");
  ASSERT_TRUE(write_file(root / "sub" / "file", "inside"));
  ASSERT_TRUE(write_file(folder_ / "outside", "outside"));
  fs::create_symlink("sub/file", root / "good");
  fs::create_symlink("../outside", root / "climbs");
  fs::create_symlink(folder_ / "outside", root / "absolute");
  fs::create_symlink("../..", root / "sub" / "up");
  fs::create_symlink("loop", root / "loop");
  fs::create_symlink("/proc/self/root", root / "magic");
  ::mkfifo((root / "pipe").c_str(), 0600);

  EXPECT_EQ(read_file_beneath(root, "sub/file", 100).value(), "inside");
  EXPECT_EQ(read_file_beneath(root, "good", 100).value(), "inside") << "a link that stays inside";

  const std::pair<std::string, std::string> refused[] = {
      {"climbs", "{root}/climbs leads out of {root}"},
      {"absolute", "{root}/absolute leads out of {root}"},
      {"sub/up/outside", "{root}/sub/up/outside leads out of {root}"},
      {"../outside", "{root}/../outside leads out of {root}"},
      {"magic/etc/passwd", "{root}/magic/etc/passwd leads out of {root}"},
      {"loop", "{root}/loop is a link that cannot be followed"},
      {"sub", "{root}/sub is not a regular file"},
      {"pipe", "{root}/pipe is not a regular file"},
      {"absent", "opening {root}/absent: no such file or directory"},
  };
  for (const auto& [path, message] : refused) {
    const auto content = read_file_beneath(root, path, 100);
    ASSERT_FALSE(content) << path;
    EXPECT_EQ(content.error().message, fmt::format(fmt::runtime(message), fmt::arg("root", root.string())));
  }
}

TEST_F(Files, FoldersAreMadeWithTheirParents) {
  const mode_t before = ::umask(077);
  ASSERT_TRUE(make_folders(folder_ / "a" / "b" / "c", 0755));
  ::umask(before);
  EXPECT_EQ(mode_of(folder_ / "a"), 0755u);
  EXPECT_EQ(mode_of(folder_ / "a/b/c"), 0755u);
  ASSERT_TRUE(make_folders(folder_ / "a", 0700));
  EXPECT_EQ(mode_of(folder_ / "a"), 0755u) << "a folder that is there keeps its mode";

  ASSERT_TRUE(write_file(folder_ / "file", ""));
  const auto made = make_folders(folder_ / "file" / "x");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, (folder_ / "file").string() + " is not a folder");
}

TEST_F(Files, TreesAreRemovedWithoutFollowingLinks) {
  fs::create_directories(folder_ / "tree" / "deep" / "er");
  fs::create_directories(folder_ / "kept");
  ASSERT_TRUE(write_file(folder_ / "kept" / "file", "x"));
  ASSERT_TRUE(write_file(folder_ / "tree" / "deep" / "file", "x", 0000));
  fs::create_directory_symlink(folder_ / "kept", folder_ / "tree" / "link");
  fs::create_directory_symlink(folder_ / "kept", folder_ / "top");

  EXPECT_TRUE(remove_tree(folder_ / "tree"));
  EXPECT_TRUE(remove_tree(folder_ / "top"));
  EXPECT_TRUE(remove_tree(folder_ / "never there"));
  EXPECT_FALSE(fs::exists(folder_ / "tree"));
  EXPECT_FALSE(fs::is_symlink(fs::symlink_status(folder_ / "top")));
  EXPECT_TRUE(fs::exists(folder_ / "kept" / "file"));
}

// What containers wrote into a live directory may be as deep as they like.
TEST_F(Files, TreesAreRemovedHoweverDeepTheyAre) {
  fs::create_directories(folder_ / "tree");
  FileDescriptor at(::open((folder_ / "tree").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), "d", 0700), 0);
    ASSERT_EQ(::mkdirat(at.get(), "e", 0700), 0);
    at = FileDescriptor(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  at.reset();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto removed = remove_tree(folder_ / "tree");
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(fs::exists(folder_ / "tree"));
}

TEST_F(Files, TreesAreRemovedButForWhatCannotBe) {
  for (const auto* file : {"tree/a/1", "tree/closed/deep/2", "tree/z/3"}) {
    fs::create_directories((folder_ / file).parent_path());
    ASSERT_TRUE(write_file(folder_ / file, "x"));
  }
  ::chmod((folder_ / "tree/closed/deep").c_str(), 0500);
  Status removed;
  {
    const LikeEverybodyElse remover;
    removed = remove_tree(folder_ / "tree");
  }
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().message, "removing " + (folder_ / "tree/closed/deep/2").string() + ": permission denied");
  EXPECT_FALSE(fs::exists(folder_ / "tree/a"));
  EXPECT_FALSE(fs::exists(folder_ / "tree/z"));
  ::chmod((folder_ / "tree/closed/deep").c_str(), 0700);
}

// As in a sandbox that has never heard of it: the kernel says `code` to openat2() from now on.
void forbid_openat2(int code) {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(code)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(rules), rules};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    ::_exit(77);
}

TEST_F(Files, AreOpenedWithoutLinksWhereOpenat2IsForbidden) {
  fs::create_directories(folder_ / "root/deep");
  ASSERT_TRUE(write_file(folder_ / "root/deep/file", "x"));
  fs::create_directory_symlink("deep", folder_ / "root/link");
  fs::create_symlink("deep/file", folder_ / "root/file");
  const FileDescriptor root(::open((folder_ / "root").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto error_of = [&](const std::string& path, int flags) {
    const unsigned mode = (flags & O_CREAT) != 0 ? 0600 : 0;
    return open_without_links(root.get(), path, static_cast<std::uint64_t>(flags), mode).valid() ? 0 : errno;
  };
  const auto check = [&] {
    return error_of("", O_RDONLY | O_DIRECTORY) == 0 && error_of("deep/./file", O_RDONLY) == 0 &&
           error_of("deep/new", O_WRONLY | O_CREAT | O_EXCL) == 0 && error_of("deep/new", O_CREAT | O_EXCL) == EEXIST &&
           error_of("absent/x", O_RDONLY) == ENOENT && error_of("file", O_RDONLY) == ELOOP &&
           error_of("link/file", O_RDONLY) != 0 && error_of("../root/deep", O_RDONLY) == EXDEV &&
           error_of("/etc/passwd", O_RDONLY) == EXDEV && read_file_beneath(folder_ / "root", "deep/file", 9) == "x" &&
           ::unlink((folder_ / "root/deep/new").c_str()) == 0;
  };
  EXPECT_TRUE(check());
  for (const int code : {ENOSYS, EPERM})
    EXPECT_EXIT(
        {
          forbid_openat2(code);
          ::_exit(check() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

TEST_F(Files, CopiesBytesInTheKernelOrNot) {
  const std::string content(200'000, 'x');
  ASSERT_TRUE(write_file(folder_ / "from", content));
  const FileDescriptor to(::open((folder_ / "to").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  {
    const FileDescriptor from(::open((folder_ / "from").c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(copy_bytes(from.get(), to.get(), content.size()));
    const auto more = copy_bytes(from.get(), to.get(), 1);
    ASSERT_FALSE(more) << "the file has been cut";
    EXPECT_EQ(more.error().message, "copying: ends after 0 of 1 bytes");
  }
  int ends[2];  // which copy_file_range() refuses
  ASSERT_EQ(::pipe(ends), 0);
  const FileDescriptor reader(ends[0]), writer(ends[1]);
  ASSERT_EQ(::write(ends[1], "piped", 5), 5);
  EXPECT_TRUE(copy_bytes(ends[0], to.get(), 5));
  EXPECT_EQ(*read_file(folder_ / "to", 1 << 20), content + "piped");
}

TEST_F(Files, ReadPiecesEndsWhereItIsTold) {
  ASSERT_TRUE(write_file(folder_ / "file", ""));
  ASSERT_EQ(::truncate((folder_ / "file").c_str(), off_t{1} << 40), 0);  // a sparse file
  const auto bytes_read = [&](std::uint64_t bytes_max) {
    const FileDescriptor file(::open((folder_ / "file").c_str(), O_RDONLY | O_CLOEXEC));
    std::uint64_t bytes = 0;
    EXPECT_TRUE(read_pieces(
        file.get(), "file", [&](std::string_view piece) { bytes += piece.size(); }, bytes_max));
    return bytes;
  };
  for (const std::uint64_t bytes_max : {0, 1, 65'536, 65'537, 200'000}) EXPECT_EQ(bytes_read(bytes_max), bytes_max);
  ASSERT_EQ(::truncate((folder_ / "file").c_str(), 70'000), 0);
  EXPECT_EQ(bytes_read(200'000), 70'000u);
}

TEST_F(Files, LocksNameTheirHolder) {
  const fs::path file = folder_ / "lock";
  {
    const auto first = FileLock::take(file, "the folder");
    ASSERT_TRUE(first);
    const auto second = FileLock::take(file, "the folder");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, Kind::conflict);
    EXPECT_EQ(second.error().message, fmt::format("the folder is in use by pid {}", ::getpid()));
  }
  EXPECT_TRUE(FileLock::take(file, "the folder")) << "free again";
}

}  // namespace
}  // namespace windlass
